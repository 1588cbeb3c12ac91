import { type DHTRecord, EMPTY_RECORD, getDHTTime, plainRecord, recordKey } from '@waggle/record'
import { beforeEach, describe, expect, it } from 'vitest'
import { UnreachableError } from '../../src/errors.ts'
import { BeyondReach } from '../../src/reading/beyond-reach.ts'
import type { Gateways } from '../../src/reading/gateways.ts'
import { KnownRecords } from '../../src/reading/known-records.ts'
import { OutOfReach } from '../../src/reading/out-of-reach.ts'
import type { Reading } from '../../src/reading/reading.ts'
import { RecordStore } from '../../src/store/record-store.ts'
import { ACTIVE } from '../support/cancellation.ts'
import { contact } from '../support/exchange-serving.ts'

const KEY = recordKey('key')
const OLD = plainRecord('old', getDHTTime() + 100)
const NEW = plainRecord('new', getDHTTime() + 200)

/** Servers that other peers have named, at addresses without listeners. */
const GHOSTS = Array.from({ length: 5 }, (_, i) => contact(i + 1))

const FOUND: Reading = {
  ...{ record: NEW, freshMs: 0, end: 'whole' },
  ...{ behind: [], without: [], responded: 2 }
}

describe('a client whose replicas are said to be out of reach', () => {
  let beyondReach: BeyondReach
  let known: KnownRecords
  let asked: string[]

  let held: DHTRecord

  const gateways: Gateways = {
    for: () => [],
    read: async () => {
      asked.push('gateways')
      return { record: held, responded: 5, error: undefined }
    },
    write: async () => undefined
  }

  beforeEach(() => {
    asked = []
    held = OLD
    beyondReach = new BeyondReach({
      gateways,
      isClient: () => true,
      outOfReach: new OutOfReach({
        routing: { nearest: () => [], members: () => [] } as never,
        peers: { isOutOfReach: () => true },
        numReplicas: 5
      })
    })
    known = new KnownRecords({
      ...{ store: new RecordStore(), numReplicas: 5, self: contact(99).id, isReplica: () => false },
      routing: { nearest: () => [] } as never
    })
    beyondReach.add(GHOSTS)
  })

  async function read(
    latest: boolean,
    direct: () => Promise<Reading> = async () => FOUND
  ): Promise<unknown> {
    const reading = await beyondReach.read(
      KEY,
      { cancellation: ACTIVE, latest },
      {
        known,
        direct: (onMissing) => {
          asked.push('replicas')
          onMissing(GHOSTS)
          return direct()
        }
      }
    )
    return reading.record
  }

  it('asks gateways first, and no replicas if they find anything (N14)', async () => {
    expect(await read(false)).toEqual(OLD)
    expect(asked).toEqual(['gateways'])
  })

  it('asks the replicas as well for the latest: lying gateways can hide it from nobody who reaches one (N14)', async () => {
    expect(await read(true)).toEqual(NEW)
    expect(asked).toEqual(['gateways', 'replicas'])
  })

  it('asks the replicas as well whether nothing is there (N11a, N14)', async () => {
    held = EMPTY_RECORD
    expect(await read(false)).toEqual(NEW)
    const failing = (): Promise<Reading> => Promise.reject(new UnreachableError(5, 0))
    expect(await read(false, failing)).toEqual(EMPTY_RECORD)
  })

  it('makes do with gateways for the latest where it reaches none (N14)', async () => {
    const failing = (): Promise<Reading> => Promise.reject(new UnreachableError(5, 0))
    expect(await read(true, failing)).toEqual(OLD)
  })

  it('learns what gateways do not hold, too (N14)', async () => {
    expect(await read(true, async () => ({ ...FOUND, record: EMPTY_RECORD }))).toEqual(OLD)
  })
})
