import {
  type DHTRecord,
  encodeRecord,
  getDHTTime,
  join,
  plainRecord,
  recordKey,
  subkeyRecord
} from '@waggle/record'
import { beforeEach, describe, expect, it } from 'vitest'
import type { GatewayMessage, OutcomesReply } from '../../src/gateway/gateway-messages.ts'
import { GatewayServer } from '../../src/gateway/gateway-server.ts'
import { Access } from '../../src/peers/access.ts'
import type { Reading, ReadOptions } from '../../src/reading/reading.ts'
import type { Replicas } from '../../src/reading/replicas.ts'
import type { WriteResult } from '../../src/reading/write-replies.ts'
import { RecordStore } from '../../src/store/record-store.ts'
import { MAX_MESSAGE_BYTES } from '../../src/wire/limits.ts'
import type { StreamHandler } from '../../src/wire/protocol-server.ts'
import { ProtocolViolationError } from '../../src/wire/protocol-violation-error.ts'
import type { Response } from '../../src/wire/responder.ts'
import { Served } from '../../src/wire/served.ts'
import { turns } from '../support/end-of-turn.ts'
import { peerNumber } from '../support/numbered-peers.ts'
import { silentLog } from '../support/silent-log.ts'

const KEYS_PER_MESSAGE = 256
const NUM_REPLICAS = 5

/** Makes a record of nearly 1 MiB. */
function largeRecord(): DHTRecord {
  const until = getDHTTime() + 60
  return [1, 2, 3, 4]
    .map((subkey) => subkeyRecord(subkey, 'x'.repeat(260_000), until))
    .reduce((all, one) => join(all, one))
}

/** Replicas that answer when a test says so. */
class PendingReplicas {
  readonly known = { nowMs: () => performance.now() }
  readonly lookups: { options: ReadOptions; resolve: (reading: Reading) => void }[] = []
  winner: DHTRecord | undefined
  failure: Error | undefined
  writes = 0

  read(_: Uint8Array, options: ReadOptions): Promise<Reading> {
    return new Promise((resolve) => this.lookups.push({ options, resolve }))
  }

  write(): Promise<WriteResult> {
    this.writes++
    const { failure, winner } = this

    if (failure !== undefined) {
      return Promise.reject(failure)
    }

    return winner === undefined
      ? new Promise(() => {})
      : Promise.resolve({ outcome: 'beaten', peers: new Map(), winner })
  }

  repair(): Promise<void> {
    return Promise.resolve()
  }
}

describe('GatewayServer', () => {
  let replicas: PendingReplicas
  let server: GatewayServer
  let served: Served
  let heldBytes: number
  let mostHeldBytes: number

  const countHeldBytes = (bytes: number): void => {
    heldBytes += bytes
    mostHeldBytes = Math.max(mostHeldBytes, heldBytes)
  }

  beforeEach(() => {
    replicas = new PendingReplicas()
    served = new Served()
    heldBytes = 0
    mostHeldBytes = 0
    server = serverWith()
  })

  function serverWith(access?: Access): GatewayServer {
    return new GatewayServer({
      ...{ access, numReplicas: NUM_REPLICAS, served, store: new RecordStore(), log: silentLog },
      replicas: replicas as unknown as Replicas
    })
  }

  const stream = (peer: number): StreamHandler<GatewayMessage> =>
    server.serve({ countHeldBytes }, peerNumber(peer))

  const read = (id: number): GatewayMessage => ({
    ...{ name: 'read', id, isLatest: false },
    keys: Array.from({ length: KEYS_PER_MESSAGE }, (_, i) => ({ key: recordKey(`${id} ${i}`) }))
  })

  /** Makes a whole reply, as if all turns were the peer's. */
  async function ask(
    handler: StreamHandler<GatewayMessage>,
    message: GatewayMessage
  ): Promise<GatewayMessage> {
    const { reply } = (await handler.respond(message)) as Response<GatewayMessage>
    let step = reply.next()

    while (step.done !== true) {
      step = reply.next()
    }

    return step.value
  }

  it('counts each key as many times as it has replicas (N14)', async () => {
    const response = (await stream(1).respond(read(1))) as Response<GatewayMessage>
    expect(response.keys).toBe(KEYS_PER_MESSAGE * NUM_REPLICAS)
    expect(response.busy).toEqual({ name: 'busy', id: 1 })
  })

  it('looks up few keys of large records, and holds few of them (N9d, N14)', async () => {
    const record = largeRecord()
    const whole: GatewayMessage = {
      ...{ name: 'read', id: 1, isLatest: false },
      keys: new Array(KEYS_PER_MESSAGE).fill({ key: recordKey('large') })
    }
    const reply = ask(stream(1), whole)
    let looked = 0
    let isReplied = false
    void reply.finally(() => {
      isReplied = true
    })

    while (!isReplied) {
      await turns(3)

      for (const { resolve } of replicas.lookups.slice(looked)) {
        resolve({ ...nothing(), record })
      }

      looked = replicas.lookups.length
    }

    expect(await reply).toMatchObject({ answers: [{ state: 'held' }] })
    expect(looked).toBeLessThanOrEqual(8)
    expect(mostHeldBytes).toBeGreaterThan(2 ** 19)
    expect(mostHeldBytes).toBeLessThan(9 * 2 ** 20)
    expect(heldBytes).toBe(0)
  })

  it('answers every write that it has made, and makes few whose proofs are large (N14)', async () => {
    replicas.winner = largeRecord()
    const record = encodeRecord(plainRecord('value', getDHTTime() + 60))
    const writes = new Array(KEYS_PER_MESSAGE).fill({ key: recordKey('key'), record })
    const reply = await ask(stream(1), { name: 'write', id: 1, writes })

    const { answers } = reply as OutcomesReply
    expect(replicas.writes).toBeLessThanOrEqual(8)
    expect(answers.map(({ outcome }) => outcome)).toEqual(new Array(replicas.writes).fill('beaten'))
    const winnerBytes = answers.map(({ winner }) => winner?.length ?? 0)
    expect(winnerBytes.reduce((sum, bytes) => sum + bytes)).toBeLessThan(MAX_MESSAGE_BYTES)
  })

  it('is busy for a write that fails, whether or not anybody waits for it (N14)', async () => {
    replicas.failure = new Error('the disk is full')
    const record = encodeRecord(plainRecord('value', getDHTTime() + 60))
    const write = { key: recordKey('key'), record }
    const message: GatewayMessage = { name: 'write', id: 1, writes: [write, write] }
    const { reply } = (await stream(1).respond(message)) as Response<GatewayMessage>
    reply.next()
    await turns(10)

    expect(replicas.writes).toBe(1)
    const busy = { outcome: 'busy', winner: undefined, replicas: [] }
    expect(await ask(stream(1), message)).toMatchObject({ answers: [busy, busy] })
  })

  it('looks up 8 keys of a client at once, and is busy for what exceeds 1,024 of one client (N14)', async () => {
    const client = stream(1)
    const waiting = [1, 2, 3, 4].map((id) => ask(client, read(id)))
    await turns(300)
    const { answers } = (await ask(client, read(5))) as unknown as { answers: { state: string }[] }

    expect(replicas.lookups).toHaveLength(8)
    expect(answers.map(({ state }) => state)).toEqual(new Array(KEYS_PER_MESSAGE).fill('busy'))
    expect(served.stats().refused.busy).toBe(KEYS_PER_MESSAGE)
    expect(waiting).toHaveLength(4)
  })

  it('leaves turns to other clients (N9f, N14)', async () => {
    for (const id of [1, 2, 3, 4]) {
      void ask(stream(1), read(id))
    }

    const key = recordKey('of another client')
    void ask(stream(2), { name: 'read', id: 1, isLatest: true, keys: [{ key }] })
    let answered = 0

    for (let i = 0; !replicas.lookups.some(({ options }) => options.latest) && i < 300; i++) {
      replicas.lookups[answered++]?.resolve(nothing())
      await turns(3)
    }

    expect(replicas.lookups.some(({ options }) => options.latest)).toBe(true)
    expect(replicas.lookups.length).toBeLessThan(2 * KEYS_PER_MESSAGE)
  })

  it('ends the lookups of a client whose stream ends (N14)', async () => {
    const client = stream(1)
    void ask(client, read(1))
    await turns(300)
    client.onClose?.()

    expect(replicas.lookups.length).toBeGreaterThan(0)
    expect(replicas.lookups.every(({ options }) => options.cancellation.isCancelled)).toBe(true)
  })

  it('stores nothing that breaks a rule, nor for a peer that may not write (N9i, N14)', async () => {
    const key = recordKey('key')
    const good = encodeRecord(plainRecord('value', getDHTTime() + 60))
    const expired = encodeRecord(plainRecord('value', getDHTTime() - 1))
    const writes = [expired, Uint8Array.of(255)].map((record) => ({ key, record }))
    const refused = { outcome: 'refused', winner: undefined, replicas: [] }

    expect(await ask(stream(1), { name: 'write', id: 1, writes })).toEqual({
      ...{ name: 'outcomes', id: 1 },
      answers: [refused, refused]
    })
    server = serverWith(new Access((_, purpose) => purpose !== 'write'))
    const mine: GatewayMessage = { name: 'write', id: 2, writes: [{ key, record: good }] }
    expect(await ask(stream(1), mine)).toMatchObject({ answers: [refused] })
    expect(replicas.writes).toBe(0)
  })

  it('takes an answer for a violation (N9c)', () => {
    expect(() => stream(1).respond({ name: 'records', id: 1, answers: [] })).toThrow(
      ProtocolViolationError
    )
  })

  function nothing(): Reading {
    return {
      ...{ record: { subkeys: new Map() }, freshMs: 0, end: 'whole' },
      ...{ behind: [], without: [], responded: 3 }
    }
  }
})
