import type { PeerId, Stream } from '@libp2p/interface'
import { prometheusMetrics } from '@libp2p/prometheus-metrics'
import type { ClockSkew } from '@waggle/dht'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Hivemind, HivemindDHT, type HivemindDHTOptions } from '../../src/index.ts'
import { PING } from '../../src/rpc/procedures.ts'
import { decodeCall, FrameCollector, replyFrame } from '../../src/wire/envelope.ts'
import { encodePingResponse } from '../../src/wire/messages.ts'

let stack: AsyncDisposableStack

beforeEach(() => {
  stack = new AsyncDisposableStack()
})

afterEach(async () => {
  await stack.disposeAsync()
})

async function start(options: HivemindDHTOptions = {}): Promise<HivemindDHT> {
  return stack.use(await HivemindDHT.create(options))
}

/** Lets a node send a time that is some seconds ahead, or, if undefined, none at all. */
async function setClock(dht: HivemindDHT, aheadS: number | undefined): Promise<void> {
  const serve = (stream: Stream): void => {
    const collector = new FrameCollector()
    stream.addEventListener('message', ({ data }) => {
      const message = collector.push(data.subarray())

      if (message !== undefined) {
        const dhtTime = aheadS === undefined ? 0 : Date.now() / 1000 + aheadS
        const answer = encodePingResponse({ sender: dht.nodeId, dhtTime, isAvailable: true })
        stream.send(replyFrame({ callId: decodeCall(message).callId, data: answer }))
      }
    })
  }
  await dht.libp2p.unhandle(PING)
  await dht.libp2p.handle(PING, serve)
}

function serviceOf({ libp2p }: HivemindDHT): Hivemind {
  return Reflect.get(libp2p.services, 'hivemind') as Hivemind
}

describe('clock:skew', () => {
  it('tells by how much the clock of a peer differs', async () => {
    const peer = await start()
    const dht = await start({ initialPeers: peer.multiaddrs })
    const heard: ClockSkew[] = []
    dht.addEventListener('clock:skew', ({ detail }) => heard.push(detail))
    const ping = (id: PeerId): Promise<unknown> => serviceOf(dht).ping(id)

    await setClock(peer, 2)
    await ping(peer.peerId)
    expect(heard).toEqual([])
    expect(dht.stats().clockSkewMs).toBeGreaterThan(1500)

    await setClock(peer, 10)
    await ping(peer.peerId)
    expect(heard).toHaveLength(1)
    expect(heard[0]?.peerId.equals(peer.peerId)).toBe(true)
    expect(heard[0]?.skewMs).toBeGreaterThan(9500)
    expect(heard[0]?.medianSkewMs).toBe(heard[0]?.skewMs)
  })

  it('does not take a peer that tells no time for one of 1970', async () => {
    const peer = await start()
    const dht = await start({ initialPeers: peer.multiaddrs })
    const heard: ClockSkew[] = []
    dht.addEventListener('clock:skew', ({ detail }) => heard.push(detail))
    await setClock(peer, undefined)
    await serviceOf(dht).ping(peer.peerId)

    expect(heard).toEqual([])
  })
})

describe('the metrics of a HivemindDHT', () => {
  it('count calls, replies of replicas, reads and records', async () => {
    const registry = new Registry()
    const metrics = prometheusMetrics({ registry, collectDefaultMetrics: false })
    const dht = await start({ metrics })
    const other = await start({ initialPeers: dht.multiaddrs, cache: false })
    await expect.poll(() => dht.knownPeers).toHaveLength(1)
    await dht.store('key', 1, { ttl: 60 })
    await dht.store('key', 0, { ttl: 30 })
    await dht.get('key', { latest: true })
    await dht.get('key')
    await dht.get('nothing', { latest: true })
    await other.get('key')
    const figures = await registry.metrics()
    const lines = figures.split('\n').filter((line) => line.startsWith('waggle_hivemind_'))

    expect(lines).toEqual(
      expect.arrayContaining([
        'waggle_hivemind_store_total{outcome="held"} 1',
        'waggle_hivemind_store_total{outcome="refused"} 1',
        'waggle_hivemind_get_total{outcome="found"} 2',
        'waggle_hivemind_get_total{outcome="not_found"} 1',
        'waggle_hivemind_replicas_total{outcome="accepted"} 2',
        'waggle_hivemind_replicas_total{outcome="beaten"} 2',
        'waggle_hivemind_reads_total{from="network"} 2',
        'waggle_hivemind_reads_total{from="cache"} 1',
        'waggle_hivemind_records_total{event="stored"} 1',
        'waggle_hivemind_records 1',
        'waggle_hivemind_known_peers 1'
      ])
    )
  })
})
