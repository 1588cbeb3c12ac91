import type { PeerId } from '@libp2p/interface'
import { type DHTRecord, EMPTY_RECORD, getDHTTime, plainRecord, recordKey } from '@waggle/record'
import { beforeEach, describe, expect, it } from 'vitest'
import { UnreachableError } from '../../src/errors.ts'
import { UnreachableServers } from '../../src/peers/unreachable-servers.ts'
import { GatewayFallback } from '../../src/reading/gateway-fallback.ts'
import type { Gateways } from '../../src/reading/gateways.ts'
import { KnownRecords } from '../../src/reading/known-records.ts'
import type { Reading } from '../../src/reading/reading.ts'
import type { WriteResult } from '../../src/reading/write-replies.ts'
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

function failing(): never {
  throw new UnreachableError(5, 0)
}

describe('a client whose replicas are said to be out of reach', () => {
  let gatewayFallback: GatewayFallback
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
    gatewayFallback = new GatewayFallback({
      gateways,
      isClient: () => true,
      unreachable: new UnreachableServers({
        routing: { nearest: () => [], members: () => [] } as never,
        peers: { isAnyFull: false, isFull: () => false, isOutOfReach: () => true },
        numReplicas: 5
      })
    })
    known = new KnownRecords({
      ...{ store: new RecordStore(), numReplicas: 5, self: contact(99).id, isReplica: () => false },
      routing: { nearest: () => [] } as never
    })
    gatewayFallback.add(GHOSTS)
  })

  async function read(latest: boolean, found: () => Reading = () => FOUND): Promise<unknown> {
    const reading = await gatewayFallback.read(
      KEY,
      { cancellation: ACTIVE, latest },
      {
        known,
        direct: async (complete) => {
          asked.push('replicas')
          return complete(GHOSTS, found)
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
    expect(await read(false, failing)).toEqual(EMPTY_RECORD)
  })

  it('makes do with gateways for the latest where it reaches none (N14)', async () => {
    expect(await read(true, failing)).toEqual(OLD)
  })

  it('learns what gateways do not hold, too (N14)', async () => {
    expect(await read(true, () => ({ ...FOUND, record: EMPTY_RECORD }))).toEqual(OLD)
  })
})

describe('a client of servers without room', () => {
  let asked: string[]
  let outcome: WriteResult['outcome']
  let held: DHTRecord
  let gatewayFallback: GatewayFallback
  const known = new KnownRecords({
    ...{ store: new RecordStore(), numReplicas: 5, self: contact(99).id, isReplica: () => false },
    routing: { nearest: () => [] } as never
  })

  /** Makes a client for which some of the five servers are full. */
  function clientOf(full: number): void {
    const isFull = (id: PeerId): boolean => GHOSTS.slice(0, full).some((one) => one.id.equals(id))
    gatewayFallback = new GatewayFallback({
      gateways: {
        for: () => [],
        async read(_key, _options, isOneEnough) {
          asked.push(isOneEnough ? 'one gateway' : 'gateways')
          return { record: held, responded: 5, error: undefined }
        },
        async write() {
          asked.push('one gateway')
          return { outcome, peers: new Map(), winner: undefined }
        }
      },
      isClient: () => true,
      unreachable: new UnreachableServers({
        routing: { nearest: () => GHOSTS },
        peers: { isAnyFull: true, isFull, isOutOfReach: () => false },
        numReplicas: 5
      })
    })
  }

  beforeEach(() => {
    asked = []
    outcome = 'held'
    held = NEW
  })

  async function read(latest: boolean): Promise<unknown> {
    const direct = async (): Promise<Reading> => {
      asked.push('replicas')
      return FOUND
    }
    const options = { cancellation: ACTIVE, latest }
    return (await gatewayFallback.read(KEY, options, { known, direct })).record
  }

  async function write(): Promise<unknown> {
    const direct = async (): Promise<WriteResult> => {
      asked.push('replicas')
      return { outcome: 'held', peers: new Map(), winner: undefined }
    }
    return (await gatewayFallback.write(KEY, NEW, { cancellation: ACTIVE, direct })).outcome
  }

  it('has one gateway read and write, and takes no place at the replicas (N10d, N14)', async () => {
    clientOf(3)
    expect([await read(false), await read(true)]).toEqual([NEW, NEW])
    held = EMPTY_RECORD
    expect([await read(false), await write()]).toEqual([EMPTY_RECORD, 'held'])
    expect(asked).toEqual(Array(4).fill('one gateway'))
  })

  it('asks the replicas itself where the gateway failed, and where most have room (N14)', async () => {
    clientOf(3)
    outcome = 'busy'
    expect(await write()).toBe('held')
    expect(asked).toEqual(['one gateway', 'replicas'])
    clientOf(2)
    asked = []
    await read(true)
    await write()
    expect(asked).toEqual(['replicas', 'replicas'])
  })
})
