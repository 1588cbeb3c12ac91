import { type DHTRecord, EMPTY_RECORD, plainRecord, recordKey } from '@waggle/record'
import { beforeEach, describe, expect, it } from 'vitest'
import type { FreshRecord, Reading, ReadOptions } from '../../src/reading/reading.ts'
import type { Replicas } from '../../src/reading/replicas.ts'
import { SharedReads } from '../../src/reading/shared-reads.ts'
import { ACTIVE } from '../support/cancellation.ts'
import { turns } from '../support/end-of-turn.ts'

const KEY = recordKey('key')
const NOW = 1000
const SOON = plainRecord('soon', NOW + 10)
const LATER = plainRecord('later', NOW + 20)

/** The time of the process's clock, in ms. */
const NOW_MS = 50_000

function fresh(record: DHTRecord): FreshRecord {
  return { record, freshMs: NOW_MS }
}

/** A running search whose result the test determines. */
interface Searching extends PromiseWithResolvers<Reading> {
  readonly options: ReadOptions
}

describe('SharedReads', () => {
  let searching: Searching[]
  let readings: Reading[]
  let reads: SharedReads

  beforeEach(() => {
    searching = []
    readings = []
    const replicas = {
      read(_: Uint8Array, options: ReadOptions) {
        const search = { options, ...Promise.withResolvers<Reading>() }
        searching.push(search)
        return search.promise
      }
    }
    reads = new SharedReads({
      replicas: replicas as unknown as Replicas,
      clock: () => NOW,
      complete: (_, record) => record,
      onReading: (_, reading) => readings.push(reading)
    })
  })

  function read(options: Partial<ReadOptions> = {}, name = 'key'): Asked {
    return asked(reads.read(name, KEY, { cancellation: ACTIVE, ...options }))
  }

  function end(
    search: Searching | undefined,
    record: DHTRecord,
    how: Reading['end'] = 'whole'
  ): Promise<void> {
    search?.resolve({
      ...{ record, freshMs: NOW_MS, end: how, behind: [], without: [], responded: 1 }
    })
    return turns()
  }

  it('has all that ask for one key wait for one search', async () => {
    const all = [read(), read({ latest: true }), read({ sufficientExpirationTime: NOW + 15 })]
    await turns()
    all.push(read())
    expect(searching).toHaveLength(1)
    await end(searching[0], SOON)

    expect(all.map(({ record }) => record)).toEqual(all.map(() => SOON))
    expect([searching.length, readings.length, reads.size]).toEqual([1, 1, 0])
  })

  it('searches for other keys at the same time', async () => {
    read({}, 'a')
    read({}, 'b')
    await turns()

    expect(searching).toHaveLength(2)
  })

  it('lets those go that need no more than what has been found', async () => {
    const [any, more, latest] = [
      read(),
      read({ sufficientExpirationTime: NOW + 15 }),
      read({ latest: true })
    ]
    await turns()
    searching[0]?.options.onRecord?.(fresh(SOON))
    await turns()
    expect([any, more, latest].map((one) => one.record)).toEqual([SOON, undefined, undefined])

    searching[0]?.options.onRecord?.(fresh(LATER))
    const late = read()
    await turns()
    expect([more, late, latest].map((one) => one.record)).toEqual([LATER, LATER, undefined])

    await end(searching[0], LATER)
    expect(latest.record).toEqual(LATER)
  })

  it('is as demanding as those that still wait', async () => {
    read({ sufficientExpirationTime: NOW + 5 })
    await turns()
    const demand = (): unknown => searching[0]?.options.sufficientExpirationTime
    expect(demand()).toBe(NOW + 5)

    read({ sufficientExpirationTime: NOW + 15 })
    expect(demand()).toBe(NOW + 15)
    expect(searching[0]?.options.latest).toBe(false)

    searching[0]?.options.onRecord?.(fresh(LATER))
    expect(demand()).toBe(0)
  })

  it('never answers a latest get by a search begun before it, only by one begun after', async () => {
    const first = read({ latest: true })
    await turns()
    const [second, third] = [read({ latest: true }), read({ latest: true })]
    await end(searching[0], SOON)

    expect([first.record, second.record]).toEqual([SOON, undefined])
    expect(searching).toHaveLength(2)
    await end(searching[1], LATER)
    expect([second.record, third.record]).toEqual([LATER, LATER])
    expect(searching).toHaveLength(2)
  })

  it('searches again for those that came when enough was found for the others only', async () => {
    read()
    await turns()
    searching[0]?.resolve({ ...fresh(SOON), end: 'enough', behind: [], without: [], responded: 1 })
    const demanding = read({ sufficientExpirationTime: NOW + 15 })
    await turns()
    expect(demanding.record).toBeUndefined()

    await end(searching[1], LATER)
    expect(demanding.record).toEqual(LATER)
  })

  it('gives readers for whom it is not enough what there is, when all were asked', async () => {
    const demanding = read({ sufficientExpirationTime: NOW + 15 })
    await turns()
    await end(searching[0], SOON)

    expect(demanding.record).toEqual(SOON)
  })

  it('ends when nobody wants it any more, is remembered by nobody, and answers nobody else', async () => {
    const cancellation = { isCancelled: false }
    read({ cancellation, latest: true })
    await turns()
    expect(searching[0]?.options.cancellation.isCancelled).toBe(false)
    cancellation.isCancelled = true
    expect(searching[0]?.options.cancellation.isCancelled).toBe(true)

    const other = read()
    await end(searching[0], EMPTY_RECORD, 'given up')
    expect(readings).toEqual([])
    expect(other.record).toBeUndefined()
    await end(searching[1], SOON)
    expect(other.record).toEqual(SOON)
  })

  it('goes on for the others when one of them leaves', async () => {
    const cancellation = { isCancelled: false }
    read({ cancellation })
    const other = read()
    await turns()
    cancellation.isCancelled = true

    expect(searching[0]?.options.cancellation.isCancelled).toBe(false)
    await end(searching[0], SOON)
    expect(other.record).toEqual(SOON)
  })

  it('searches for no reader that has left while waiting', async () => {
    const cancellation = { isCancelled: false }
    read({ latest: true })
    await turns()
    read({ latest: true, cancellation })
    cancellation.isCancelled = true
    await end(searching[0], SOON)

    expect([searching.length, reads.size]).toEqual([1, 0])
  })

  it('tells all readers what went wrong, and searches again for later ones', async () => {
    const failing = [read(), read({ latest: true })]
    await turns()
    const later = read({ latest: true })
    searching[0]?.reject(new Error('the node was stopped'))
    await turns()
    expect(failing.map(({ error }) => error)).toMatchObject(
      failing.map(() => ({ message: 'the node was stopped' }))
    )

    await end(searching[1], SOON)
    expect(later.record).toEqual(SOON)
  })
})

/** The state of a read. */
interface Asked {
  record?: DHTRecord
  error?: unknown
}

function asked(reading: Promise<DHTRecord>): Asked {
  const answer: Asked = {}
  reading.then(
    (record) => {
      answer.record = record
    },
    (error: unknown) => {
      answer.error = error
    }
  )
  return answer
}
