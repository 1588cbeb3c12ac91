import { EMPTY_RECORD, recordKey } from '@waggle/record'
import { equals } from 'uint8arrays/equals'
import { describe, expect, it } from 'vitest'
import { DEFAULT_NUM_REPLICAS } from '../../src/constants.ts'
import { NotReadError } from '../../src/errors.ts'
import type { GetProgressEvent, StoreEntry } from '../../src/operations/call-options.ts'
import { NotStoredError } from '../../src/operations/store-report.ts'
import { cachePolicy } from '../../src/reading/cache-policy.ts'
import { CachedReads } from '../../src/reading/cached-reads.ts'
import { nameOf } from '../../src/store/record-store.ts'
import { rejection } from '../support/rejection.ts'
import { silentLog } from '../support/silent-log.ts'
import { operations } from '../support/simulated-operations.ts'
import { Simulation, type SimulationOptions, START } from '../support/simulated-replicas.ts'

const LIFETIME = { ttl: 600 }
const ENTRIES: StoreEntry[] = ['a', 'b', 'c'].map((key) => ({ key, value: key }))

function network(options: Partial<SimulationOptions> = {}): Simulation {
  return new Simulation(recordKey('key'), { size: 6, ...options })
}

/** Fills all peers, so that they accept no new record. */
function fillUp(net: Simulation): void {
  for (const { store } of net.peers) {
    const apply = store.apply.bind(store)
    store.apply = (key, write, writer) =>
      store.has(nameOf(key))
        ? apply(key, write, writer)
        : { isAccepted: false, record: EMPTY_RECORD, reason: 'full' }
  }
}

/** Makes reads that fail for one key. */
function readsThatFail(
  net: Simulation,
  bad: Uint8Array,
  fail: () => Promise<never> = () => Promise.reject(new Error('this key fails'))
): CachedReads {
  const { replicas } = net
  const reads = new CachedReads({ replicas, policy: cachePolicy({}), log: silentLog })
  const read = reads.read.bind(reads)
  reads.read = (key, options) => (equals(key, bad) ? fail() : read(key, options))
  return reads
}

describe('Operations.storeMany', () => {
  it('tries everything before it rejects with reports of all (N6)', async () => {
    const net = network({ isReplica: () => false })
    const dht = operations(net)
    await dht.store('b', 'later', { ttl: 900 })
    fillUp(net)
    const entries = [...ENTRIES, { key: 'd', value: 1, ttl: -1 }]
    const error = await rejection(dht.storeMany(entries, LIFETIME))

    expect(error).toBeInstanceOf(NotStoredError)
    expect(error.message).toMatch(/^2 of 4 not stored: all replicas that responded are full/)
    expect(error).toMatchObject({
      outcome: 'full',
      reports: [
        { outcome: 'full' },
        { outcome: 'beaten', by: { value: 'later' } },
        { outcome: 'full' },
        { outcome: 'expired', replicas: [] }
      ]
    })
  })

  it('names the writes that are held among the reports (N6)', async () => {
    const reports = await operations(network()).storeMany(ENTRIES, { ...LIFETIME, report: true })

    expect(reports).toMatchObject(
      ENTRIES.map(() => ({ outcome: 'held', expirationTime: expect.closeTo(START + 600, 3) }))
    )
    expect(reports[0]?.replicas).toHaveLength(DEFAULT_NUM_REPLICAS)
  })
})

describe('Operations.getMany', () => {
  async function stored(): Promise<Simulation> {
    const net = network()
    await operations(net).storeMany(ENTRIES, LIFETIME)
    return net
  }

  it('tries everything before it rejects with all results, and tells of failures, too (N8e)', async () => {
    const net = await stored()
    const client = operations(net, {
      reads: readsThatFail(net, recordKey('b'))
    })
    const events: GetProgressEvent[] = []
    const reading = client.getMany(['a', 'b', 'c'], { onProgress: (event) => events.push(event) })
    const error = await rejection(reading)

    expect(error).toBeInstanceOf(NotReadError)
    expect(error.message).toBe('1 of 3 keys could not be read: this key fails')
    expect(error).toMatchObject({
      cause: { message: 'this key fails' },
      results: [
        { status: 'fulfilled', value: { value: 'a' } },
        { status: 'rejected', reason: { message: 'this key fails' } },
        { status: 'fulfilled', value: { value: 'c' } }
      ]
    })
    expect(events.find(({ index }) => index === 1)).toMatchObject({ name: 'failed', key: 'b' })
  })

  it('gives the results that it has when its time is over (N8a)', async () => {
    const net = await stored()
    const reads = readsThatFail(net, recordKey('b'), () => new Promise<never>(() => {}))
    const reading = operations(net, { reads }).getMany(['a', 'b'], { timeoutMs: 50 })

    expect(await rejection(reading)).toMatchObject({
      name: 'TimeoutError',
      results: [
        { status: 'fulfilled', value: { value: 'a' } },
        { status: 'rejected', reason: { name: 'TimeoutError' } }
      ]
    })
  })
})
