import { readFile } from 'node:fs/promises'
import type { KadDHT } from '@libp2p/kad-dht'
import { getDHTTime } from '@waggle/dht'
import { encodeRecord, plainRecord, recordKey } from '@waggle/record'
import { describe, expect, it } from 'vitest'
import { internalsOf, NO_PATH } from '../../src/kad/internals.ts'
import { acquaint, kadOf, knows } from '../support/libp2p-node.ts'
import { heldBy, putAt } from '../support/replica.ts'
import { stockNode } from '../support/stock-node.ts'

/*
 * What we believe about @libp2p/kad-dht. Where one of these fails after an upgrade, upstream has
 * changed: see what of src/kad can go, or must follow, before the pinned range is widened.
 */

describe('kad-dht', () => {
  it('is of the version that the workspace pins', async () => {
    const manifest = new URL('../../node_modules/@libp2p/kad-dht/package.json', import.meta.url)
    const workspace = new URL('../../../../pnpm-workspace.yaml', import.meta.url)
    const { version } = JSON.parse(await readFile(manifest, 'utf8'))
    const range = /"@libp2p\/kad-dht": (.+)/.exec(await readFile(workspace, 'utf8'))?.[1]

    expect(range).toMatch(/^~16\.4\b/)
    expect(version).toMatch(/^16\.4\.\d+$/)
  })

  it('still overwrites a newer record with an older one: our datastore is needed (N2)', async () => {
    await using holder = await stockNode()
    await using writer = await stockNode()
    await acquaint(holder, writer)
    const expirationTime = getDHTTime() + 600
    const newer = plainRecord('newer', expirationTime)
    const older = plainRecord('older', expirationTime - 100)

    await putAt(holder, 'key', newer, writer)
    expect(await heldBy(holder, 'key', writer)).toEqual(newer)
    await putAt(holder, 'key', older, writer)
    expect(await heldBy(holder, 'key', writer)).toEqual(older)
  })

  it('still lets the writer overwrite its own newer record (N2)', async () => {
    await using writer = await stockNode()
    await using reader = await stockNode()
    await acquaint(writer, reader)
    const expirationTime = getDHTTime() + 600

    for (const ttl of [0, -100]) {
      const record = plainRecord(`ttl ${ttl}`, expirationTime + ttl)
      await writer.contentRouting.put(recordKey('key'), encodeRecord(record))
    }

    expect(await heldBy(writer, 'key', reader)).toEqual(
      plainRecord('ttl -100', expirationTime - 100)
    )
  })

  it('resets the stream of whoever puts what the validator refuses', async () => {
    await using holder = await stockNode()
    await using writer = await stockNode()
    await acquaint(holder, writer)
    const expired = plainRecord('expired', getDHTTime() - 1)

    await expect(putAt(holder, 'key', expired, writer)).rejects.toMatchObject({
      name: 'StreamResetError'
    })
  })

  it('has the routing table that we use', async () => {
    await using a = await stockNode()
    await using b = await stockNode()
    const { routingTable } = kadOf(a)
    const added: string[] = []
    routingTable.addEventListener('peer:add', ({ detail }) => added.push(detail.toString()))
    expect(routingTable.size).toBe(0)
    await acquaint(a, b)

    expect(routingTable.size).toBe(1)
    expect(added).toEqual([b.peerId.toString()])
    expect(routingTable.closestPeers(new Uint8Array(32), { count: 20 })).toEqual([b.peerId])
    expect(routingTable.closestPeers(new Uint8Array(32), { count: 0 })).toEqual([])
    expect(knows(a, b.peerId)).toBe(true)
  })

  it('has the request to one peer that we use, which ends when its signal says so', async () => {
    await using a = await stockNode()
    await using b = await stockNode()
    await acquaint(a, b)
    const { network, protocol, getMode } = kadOf(a)

    expect(protocol).toBe('/waggle/kad/1.0.0')
    expect(getMode).toBeTypeOf('function')
    expect(await heldBy(b, 'nothing', a)).toBeUndefined()

    const message = { type: 'GET_VALUE' as never, key: recordKey('key') }
    const options = { path: NO_PATH, signal: AbortSignal.abort() }
    const names: string[] = []

    try {
      for await (const { name } of network.sendRequest(b.peerId, message, options)) {
        names.push(name)
      }
    } catch {
      names.push('thrown')
    }

    expect(['QUERY_ERROR', 'thrown']).toContain(names.at(-1))
  })

  it('is refused by name when it lacks them', () => {
    expect(() => internalsOf({} as KadDHT)).toThrow(/@libp2p\/kad-dht is not supported/)
  })
})
