import { readFile } from 'node:fs/promises'
import { prometheusMetrics } from '@libp2p/prometheus-metrics'
import { DHT, TimeoutError } from '@waggle/dht'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { PATIENCE, UNHURRIED } from '../support/libp2p-node.ts'
import { infiltrate, silentPeer } from '../support/odd-peers.ts'

const DOCUMENT = new URL('../../../../docs/running.md', import.meta.url)
/** Keys stored before any other peer joined. */
const EARLY = ['a', 'b', 'c', 'd', 'e']
const EXCHANGE = '/waggle/exchange/2.0.0'

describe('the metrics of a DHT', () => {
  const registry = new Registry()
  const figure = figuresOf(registry)
  let dht: DHT
  let peer: DHT

  beforeAll(async () => {
    dht = await DHT.create({ metrics: metricsIn(registry) })
    await dht.storeMany(EARLY.map((key) => ({ key, value: key, ttl: 600 })))
    peer = await DHT.create({ initialPeers: dht.multiaddrs })
    await vi.waitUntil(() => dht.stats().knownPeers === 1, PATIENCE)
  })

  afterAll(async () => {
    await Promise.all([dht.stop(), peer.stop()])
  })

  it('count calls by their outcome, and say how long they took', async () => {
    await dht.store('key', 'new', { ttl: 600 })
    await dht.store('key', 'old', { ttl: 60 })
    await dht.get('key', { latest: true })
    await dht.get('nothing')
    await dht.getMany(['key', 'nothing'])
    await dht.delete('key', { ttl: 700 })
    await dht.findNearestPeers('key')

    expect(await figure('waggle_store_total', { outcome: 'held' })).toBe(1)
    expect(await figure('waggle_store_total', { outcome: 'beaten' })).toBe(1)
    expect(await figure('waggle_get_total', { outcome: 'found' })).toBe(1)
    expect(await figure('waggle_get_total', { outcome: 'not_found' })).toBe(1)
    expect(await figure('waggle_get_many_total', { outcome: 'done' })).toBe(1)
    expect(await figure('waggle_delete_total', { outcome: 'held' })).toBe(1)
    expect(await figure('waggle_find_nearest_peers_total', { outcome: 'done' })).toBe(1)
    const histogram = await registry.getSingleMetric('waggle_call_seconds')?.get()
    const stores =
      histogram?.values.filter((one) => Reflect.get(one.labels, 'call') === 'store') ?? []
    const named = (end: string): number | undefined =>
      stores.find((one) => String(Reflect.get(one, 'metricName')).endsWith(end))?.value
    expect(named('_count')).toBe(2)
    expect(named('_sum')).toBeGreaterThan(0)
    expect(named('_sum')).toBeLessThan(30)
  })

  it('do not count waiting for a publication as a call', async () => {
    const own = new Registry()
    await using alone = await DHT.create({ metrics: metricsIn(own) })
    await alone.publish('key', 1, { ttl: 600 }).held()
    const histogram = await own.getSingleMetric('waggle_call_seconds')?.get()

    expect(new Set(histogram?.values.map(({ labels }) => Reflect.get(labels, 'call')))).toEqual(
      new Set(['publish'])
    )
  })

  it('count calls that failed, once each', async () => {
    const failures = new Registry()
    const failureFigure = figuresOf(failures)
    await using patient = await DHT.create({ ...UNHURRIED, metrics: metricsIn(failures) })
    const silent = await silentPeer()
    await using _ = silent.node
    await infiltrate(silent.node, [patient.libp2p])

    const late = patient.get('key', { latest: true, timeoutMs: 200 })
    await expect(late).rejects.toBeInstanceOf(TimeoutError)
    await expect(patient.get('key', { signal: AbortSignal.abort() })).rejects.toThrow()

    for (const reason of [undefined, new Error('the user has left')]) {
      const caller = new AbortController()
      const aborted = patient.get('key', { latest: true, signal: caller.signal })
      caller.abort(reason)
      await expect(aborted).rejects.toThrow()
    }

    expect(await failureFigure('waggle_get_total', { outcome: 'timeout' })).toBe(1)
    expect(await failureFigure('waggle_get_total', { outcome: 'aborted' })).toBe(2)
    expect(await failureFigure('waggle_get_total', { outcome: 'error' })).toBe(0)
  })

  it('say where answers came from, and what replicas made of writes', async () => {
    const [network, store, accepted, stored] = await Promise.all([
      figure('waggle_reads_total', { from: 'network' }),
      figure('waggle_reads_total', { from: 'store' }),
      figure('waggle_replicas_total', { outcome: 'accepted' }),
      figure('waggle_records_total', { event: 'stored' })
    ])
    await dht.store('answer', 42, { ttl: 600 })
    await dht.get('answer')
    await dht.get('answer', { latest: true })

    expect(await figure('waggle_reads_total', { from: 'network' })).toBe(network + 1)
    expect(await figure('waggle_reads_total', { from: 'store' })).toBe(store + 1)
    expect(await figure('waggle_replicas_total', { outcome: 'accepted' })).toBe(accepted + 2)
    expect(await figure('waggle_records_total', { event: 'stored' })).toBe(stored + 1)
  })

  it('show what stats() does, when they are collected', async () => {
    const { records, bytes, cachedRecords, cachedBytes } = dht.stats()
    expect(records).toBeGreaterThan(0)
    expect(await figure('waggle_records')).toBe(records)
    expect(await figure('waggle_record_bytes')).toBe(bytes)
    expect(await figure('waggle_cached_records')).toBe(cachedRecords)
    expect(await figure('waggle_cached_bytes')).toBe(cachedBytes)
    expect(await figure('waggle_peers')).toBe(1)
    expect(await figure('waggle_known_peers')).toBe(1)
    expect(await figure('waggle_avoided_peers')).toBe(0)
    expect(await figure('waggle_requests_waiting')).toBe(0)
    expect(Math.abs(await figure('waggle_clock_skew_seconds'))).toBeLessThan(3)
  })

  it('count what is done for peers, as stats() does, however often they are collected', async () => {
    await peer.get('answer', { latest: true })
    await peer.store('of a peer', 1, { ttl: 600 })
    const keys = (kind: string): Promise<number> => figure('waggle_served_keys_total', { kind })
    await keys('find')
    const { served } = dht.stats()

    expect(served.keys.find).toBeGreaterThan(0)
    expect(await keys('find')).toBe(served.keys.find)
    expect(await keys('store')).toBe(served.keys.store)
    expect(served.writes.accepted).toBeGreaterThan(0)
    expect(await figure('waggle_served_writes_total', { outcome: 'accepted' })).toBe(
      served.writes.accepted
    )
    expect(await figure('waggle_served_refused_total', { reason: 'busy' })).toBe(0)
    expect(await figure('waggle_served_bytes_total', { to: 'peers' })).toBeGreaterThan(0)
  })

  it('count what upkeep hands over', async () => {
    await expect.poll(() => figure('waggle_handed_over_records_total'), PATIENCE).toBe(EARLY.length)
    expect(await figure('waggle_handed_over_bytes_total')).toBeGreaterThan(10 * EARLY.length)
  })

  it("stand beside libp2p's, which count the bytes of each protocol", async () => {
    expect(await registry.metrics()).toContain(`${EXCHANGE} sent`)
  })

  it('are all documented', async () => {
    const document = await readFile(DOCUMENT, 'utf8')
    const names = registry
      .getMetricsAsArray()
      .map(({ name }) => name)
      .filter((name) => name.startsWith('waggle_'))
    expect(names.length).toBeGreaterThan(20)
    expect(names.filter((name) => !document.includes(`\`${name}\``))).toEqual([])
  })
})

function metricsIn(registry: Registry): ReturnType<typeof prometheusMetrics> {
  return prometheusMetrics({ registry, collectDefaultMetrics: false })
}

/** Makes a function that looks up one figure of a registry's report; 0 if it is not there. */
function figuresOf(registry: Registry) {
  return async (name: string, labels: Record<string, string> = {}): Promise<number> => {
    const metric = await registry.getSingleMetric(name)?.get()
    const values = metric?.values.filter((value) =>
      Object.entries(labels).every(([label, text]) => value.labels[label] === text)
    )
    return values?.[0]?.value ?? 0
  }
}
