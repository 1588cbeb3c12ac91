import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { temporaryDirectory } from '../../../dht/test/support/temporary-directory.ts'
import { type Served, served } from '../support/served.ts'
import { waggle, waggleInShell, waggleInto } from '../support/waggle-process.ts'

let directory: Awaited<ReturnType<typeof temporaryDirectory>>
let node: Served

beforeAll(async () => {
  directory = await temporaryDirectory()
  node = await served(['--control', control()])
  await waggle(['store', 'k', 'v', '-p', node.address])
})

afterAll(async () => {
  await node[Symbol.asyncDispose]()
  await directory[Symbol.asyncDispose]()
})

function control(): string {
  return join(directory.path, 'node.sock')
}

/** Each command that writes, with the network and the node of this test where it needs them. */
const COMMANDS: readonly (readonly [name: string, args: () => readonly string[]])[] = [
  ['--help', () => ['--help']],
  ['completion', () => ['completion', 'bash']],
  ['store', () => ['store', 'written', 'v', '-p', node.address]],
  ['get', () => ['get', 'k', '-p', node.address]],
  ['get --raw', () => ['get', 'k', '--raw', '-p', node.address]],
  ['delete', () => ['delete', 'nothing', '-p', node.address]],
  ['watch', () => ['watch', 'k', '-p', node.address]],
  ['watch --json', () => ['watch', 'k', '--json', '-p', node.address]],
  ['inspect', () => ['inspect', 'k', '-p', node.address]],
  ['peers', () => ['peers', '-p', node.address]],
  ['ping', () => ['ping', node.address]],
  ['party', () => ['party', 'guest', '-p', node.address]],
  ['export', () => ['export', '--control', control()]],
  ['export of keys', () => ['export', 'k', '-p', node.address]],
  ['stats', () => ['stats', '--control', control()]],
  ['id', () => ['id', '--control', control()]],
  ['top --json', () => ['top', '--json', '--control', control()]],
  ['serve', () => ['serve', '--listen-on', '127.0.0.1:0', '--control', `${control()}2`]]
]

describe('a command whose reader has gone', () => {
  it.each(COMMANDS)('ends with success and no complaint: %s', async (_name, args) => {
    const { exitCode, stderr } = await waggleInto('true', args())
    expect(exitCode).toBe(0)
    expect(stderr).not.toMatch(/waggle: |Error|Warning/)
  })

  it.each(COMMANDS.filter(([name]) => /^(watch|party|top|serve)/.test(name)))(
    'does not wait until it has more to write: %s',
    async (_name, args) => {
      const quiet = args()[0] === 'serve' ? ['--refresh-period', '1h'] : []
      const { exitCode, stdout } = await waggleInto('head -n 1', [...args(), ...quiet])

      expect(exitCode).toBe(0)
      expect(stdout.trim().split('\n')).toHaveLength(1)
    }
  )

  it('fails as ever if only its messages are not read', async () => {
    const script = '{ "$@" 2>&1 >/dev/null; echo "exit code $?" >&2; } | true'
    // The servers of other tests have ended: a node that has met them can't tell what they held.
    await using fresh = await served([])
    const { stderr } = await waggleInShell(script, ['get', 'nowhere', '-p', fresh.address])
    // Absent, or unreachable where the machine is too busy: not success in any case.
    expect(stderr).toMatch(/^exit code [13]\n$/)
  })
})
