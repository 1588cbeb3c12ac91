import { DHT, type DHTEvents, waggle, waggleKadDHT } from '@waggle/dht'
import { describe, expect, it } from 'vitest'
import { basicServices, libp2pNode, PATIENCE } from '../support/libp2p-node.ts'

/** What a node has told of one kind of event, as text. */
function heardFrom(dht: DHT, type: 'peer:join' | 'peer:leave'): string[] {
  const heard: string[] = []
  dht.addEventListener(type, ({ detail }) => heard.push(detail.toString()))
  return heard
}

describe('the events of a DHT', () => {
  it('tell which peers of the network come and go', async () => {
    await using dht = await DHT.create()
    const joined = heardFrom(dht, 'peer:join')
    const left = heardFrom(dht, 'peer:leave')

    const peer = await DHT.create({ initialPeers: dht.multiaddrs })
    await expect.poll(() => joined, PATIENCE).toEqual([peer.peerId.toString()])
    expect(left).toEqual([])

    await peer.stop()
    await expect.poll(() => left, PATIENCE).toEqual([peer.peerId.toString()])
    expect(joined).toHaveLength(1)
  })

  it('tell nothing of clients and of peers of other networks', async () => {
    await using dht = await DHT.create()
    const joined = heardFrom(dht, 'peer:join')
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
    dht.addEventListener('peer:join', () => heard.push('once'), { once: true })
    dht.addEventListener('peer:join', () => heard.push('aborted'), { signal: caller.signal })
    dht.addEventListener('peer:join', removed)
    const joined = heardFrom(dht, 'peer:join')

    await using first = await DHT.create({ initialPeers: dht.multiaddrs })
    await expect.poll(() => joined, PATIENCE).toHaveLength(1)
    expect(heard).toEqual(['once', 'aborted', 'removed'])
    caller.abort()
    dht.removeEventListener('peer:join', removed)

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
    const [mine, others] = [heardFrom(dht, 'peer:join'), heardFrom(other, 'peer:join')]
    await dht.stop()

    await using peer = await DHT.create({ initialPeers: other.multiaddrs })
    await expect.poll(() => others, PATIENCE).toEqual([peer.peerId.toString()])
    expect(mine).toEqual([])
  })

  it('have names that are checked where they are written', async () => {
    await using dht = await DHT.create()
    // @ts-expect-error There is no such event.
    const name: keyof DHTEvents = 'peer:dance'
    dht.addEventListener(name, () => {})
  })
})
