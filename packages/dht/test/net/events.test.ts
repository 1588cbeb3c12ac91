import { DHT, type DHTEvents, getDHTTime, waggle, waggleKadDHT } from '@waggle/dht'
import type { RecordNotice } from '@waggle/dht/handles'
import { testnet } from '@waggle/dht/testnet'
import { MemoryDatastore } from 'datastore-core'
import { describe, expect, it, vi } from 'vitest'
import type { DiskState } from '../../src/events.ts'
import { collectGarbage } from '../support/collect-garbage.ts'
import { basicServices, libp2pNode, PATIENCE } from '../support/libp2p-node.ts'

/** Records a node's events of one kind, as text. */
function heardFrom(dht: DHT, type: keyof DHTEvents & `peer:${string}`): string[] {
  const heard: string[] = []
  dht.addEventListener(type, ({ detail }) => heard.push(detail.toString()))
  return heard
}

describe('the events of a DHT', () => {
  it('tell which peers of the network come and go (N10c)', async () => {
    await using dht = await DHT.create()
    const [found, lost] = [heardFrom(dht, 'peer:found'), heardFrom(dht, 'peer:lost')]

    const peer = await DHT.create({ initialPeers: dht.multiaddrs })
    await expect.poll(() => found, PATIENCE).toEqual([peer.peerId.toString()])
    expect(lost).toEqual([])

    await peer.stop()
    await expect.poll(() => lost, PATIENCE).toEqual([peer.peerId.toString()])
    expect(found).toHaveLength(1)
  })

  it('tell connections from membership: a peer that is disconnected is not lost (N10c)', async () => {
    await using dht = await DHT.create()
    await using peer = await DHT.create({ initialPeers: dht.multiaddrs })
    await expect.poll(() => dht.stats().knownPeers, PATIENCE).toBe(1)
    const heard = (['peer:connect', 'peer:disconnect', 'peer:lost'] as const).map((type) =>
      heardFrom(dht, type)
    )
    await dht.libp2p.hangUp(peer.peerId)

    // Both look once whether the other one is still there, and so connect again.
    const name = peer.peerId.toString()
    await expect.poll(() => heard, PATIENCE).toEqual([[name], [name], []])
  })

  it('tell nothing of clients and of peers of other networks', async () => {
    await using dht = await DHT.create()
    const joined = heardFrom(dht, 'peer:connect')
    await using client = await DHT.create({ clientMode: true, initialPeers: dht.multiaddrs })
    await using stranger = await DHT.create({ protocol: '/other/kad/1.0.0' })
    await stranger.libp2p.dial(dht.multiaddrs)
    await using peer = await DHT.create({ initialPeers: dht.multiaddrs })

    await expect.poll(() => joined, PATIENCE).toEqual([peer.peerId.toString()])
    expect(client.peers.map(String)).toContain(dht.peerId.toString())
  })

  it('are heard until the listener is removed, or its signal aborted', async () => {
    await using dht = await DHT.create()
    const caller = new AbortController()
    const heard: string[] = []
    const removed = (): unknown => heard.push('removed')
    dht.addEventListener('peer:connect', () => heard.push('once'), { once: true })
    dht.addEventListener('peer:connect', () => heard.push('aborted'), { signal: caller.signal })
    dht.addEventListener('peer:connect', removed)
    const joined = heardFrom(dht, 'peer:connect')

    await using first = await DHT.create({ initialPeers: dht.multiaddrs })
    await expect.poll(() => joined, PATIENCE).toHaveLength(1)
    expect(heard).toEqual(['once', 'aborted', 'removed'])
    caller.abort()
    dht.removeEventListener('peer:connect', removed)

    await using second = await DHT.create({ initialPeers: dht.multiaddrs })
    await expect.poll(() => joined, PATIENCE).toHaveLength(2)
    expect(heard).toHaveLength(3)
    expect(joined).toEqual([first, second].map(({ peerId }) => peerId.toString()))
  })

  it('end with the DHT, even if its node goes on', async () => {
    await using libp2p = await libp2pNode({
      ...basicServices(),
      dht: waggleKadDHT(),
      waggle: waggle()
    })
    const dht = await DHT.create({ libp2p })
    await using other = await DHT.create({ libp2p })
    const [mine, others] = [heardFrom(dht, 'peer:connect'), heardFrom(other, 'peer:connect')]
    await dht.stop()

    await using peer = await DHT.create({ initialPeers: other.multiaddrs })
    await expect.poll(() => others, PATIENCE).toEqual([peer.peerId.toString()])
    expect(mine).toEqual([])
  })

  it('leave nothing of a listener behind that was removed (N9d)', async () => {
    await using dht = await DHT.create({ clientMode: true })
    const removed = (() => {
      const listener = (): void => {}
      dht.addEventListener('record:stored', listener)
      dht.removeEventListener('record:stored', listener)
      return new WeakRef(listener)
    })()

    await expect
      .poll(() => {
        collectGarbage()
        return removed.deref() === undefined
      }, PATIENCE)
      .toBe(true)
  })

  it('are heard by a listener of two DHTs of one node from each of them', async () => {
    await using libp2p = await libp2pNode({
      ...basicServices(),
      dht: waggleKadDHT(),
      waggle: waggle()
    })
    await using one = await DHT.create({ libp2p })
    await using other = await DHT.create({ libp2p })
    const heard: unknown[] = []
    const listener = ({ detail }: DHTEvents['record:stored']): unknown => heard.push(detail.key)
    one.addEventListener('record:stored', listener)
    other.addEventListener('record:stored', listener)

    await one.store('first', 1, { ttl: 600 })
    expect(heard).toEqual(['first', 'first'])
    one.removeEventListener('record:stored', listener)
    await one.store('second', 2, { ttl: 600 })
    expect(heard).toEqual(['first', 'first', 'second'])
  })

  it('have names that are checked, as nobody would hear of any other', async () => {
    await using dht = await DHT.create({ clientMode: true })
    // @ts-expect-error There is no such event.
    const name: keyof DHTEvents = 'peer:dance'

    expect(() => dht.addEventListener(name, () => {})).toThrow(
      /^there is no event "peer:dance"; there are peer:connect, peer:disconnect,/
    )
    expect(() => dht.addEventListener('peer:connect', 5 as never)).toThrow(
      /^the listener of peer:connect must be a function, got 5/
    )
  })
})

describe('the events of a node that holds records', () => {
  it('tell what is stored there, and what expires', async () => {
    await using net = await testnet(2)
    const [writer, replica] = net.nodes as [DHT, DHT]
    const stored: RecordNotice[] = []
    const expired: RecordNotice[] = []
    replica.addEventListener('record:stored', ({ detail }) => stored.push(detail))
    replica.addEventListener('record:expired', ({ detail }) => expired.push(detail))
    const expirationTime = getDHTTime() + 2
    await writer.store(['a', 1], 'value', { expirationTime })
    await writer.store('party', 'yes', { subkey: 'alice', ttl: 600 })

    expect(stored.map(({ key }) => key)).toEqual([['a', 1], 'party'])
    expect(stored[0]?.expirationTime).toBe(expirationTime)
    await writer.store(['a', 1], 'value', { expirationTime })
    expect(stored).toHaveLength(2)

    await expect.poll(() => expired, PATIENCE).toEqual([stored[0]])
    expect(getDHTTime()).toBeGreaterThanOrEqual(expirationTime)
  })

  it('tell that the disk fails, and that it works again', async () => {
    const datastore = new MemoryDatastore()
    const commit = vi.spyOn(datastore, 'batch').mockImplementation(() => {
      throw new Error('no space left on device')
    })
    await using dht = await DHT.create({ datastore })
    const states: DiskState[] = []
    dht.addEventListener('disk:state', ({ detail }) => states.push(detail))

    await expect(dht.store('key', 1, { ttl: 600 })).rejects.toMatchObject({
      name: 'NotStoredError',
      outcome: 'full'
    })
    await expect.poll(() => states.at(-1)?.state, PATIENCE).toBe('failing')
    expect(states.at(-1)?.error?.message).toContain('no space left')
    expect(dht.stats().persistence).toMatchObject({ state: 'failing' })

    commit.mockRestore()
    await expect.poll(() => states.at(-1), PATIENCE).toEqual({ state: 'ok' })
    expect(dht.stats().persistence?.state).toBe('ok')
  })
})
