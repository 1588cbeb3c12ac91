import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Served, served } from '../support/served.ts'
import { waggle } from '../support/waggle-process.ts'

let node: Served

beforeAll(async () => {
  node = await served()
})

afterAll(async () => {
  await node[Symbol.asyncDispose]()
})

describe('waggle inspect', () => {
  it('shows the value, and the peers that hold it', async () => {
    await waggle(['store', 'party', 'yes', '--subkey', 'alice', '-p', node.address])
    const { exitCode, stdout, stderr } = await waggle(['inspect', 'party', '-p', node.address])
    const [value, , headings, replica, ...rest] = stdout.trim().split('\n')

    expect({ exitCode, stderr: stderr.trim() }).toEqual({
      exitCode: 0,
      stderr: '1 of 1 replica current'
    })
    expect(value).toMatch(/^"alice" {2}"yes" {2}until /)
    expect(headings).toMatch(/^peer +bits +role +state +entries +bytes +expires in +digest +took$/)
    expect(replica).toMatch(
      /^12D3KooW\w+ +\d+ +replica +current +1 +\d+ B +\d+ min +[0-9a-f]{8} +[\d.]+ ms$/
    )
    expect(rest).toEqual([])
  })

  it('tells programs the same, also of nothing', async () => {
    const { stdout } = await waggle(['inspect', 'nothing', '--json', '-p', node.address])

    expect(JSON.parse(stdout)).toMatchObject({
      key: 'nothing',
      point: expect.stringMatching(/^[0-9a-f]{64}$/),
      found: null,
      peers: [{ role: 'replica', state: 'empty', entries: 0, digest: null }]
    })
  })
})
