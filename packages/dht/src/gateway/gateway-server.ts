import type { PeerId } from '@libp2p/interface'
import {
  type DHTRecord,
  EMPTY_RECORD,
  encodeRecord,
  isEmpty,
  type MaybePromise
} from '@waggle/record'
import { encodedSize, whenDone } from '@waggle/record/replica'
import { DelegatedLookups, type LookupSize } from '../admission/delegated-lookups.ts'
import { OpenRequests } from '../admission/open-requests.ts'
import { BusyError, UnreachableError } from '../errors.ts'
import type { Access } from '../peers/access.ts'
import type { Replicas } from '../reading/replicas.ts'
import { type Judge, receivedRecord } from '../store/received-record.ts'
import { MAX_MESSAGE_BYTES, TARGET_MESSAGE_BYTES } from '../wire/limits.ts'
import type { ServedProtocol, StreamHandler } from '../wire/protocol-server.ts'
import { ProtocolViolationError } from '../wire/protocol-violation-error.ts'
import type { Response } from '../wire/responder.ts'
import type { MessageCodec } from '../wire/schema.ts'
import type { Served } from '../wire/served.ts'
import { AnswerBatch, type Client } from './answer-batch.ts'
import {
  GATEWAY,
  GATEWAY_PROTOCOL,
  type GatewayMessage,
  type GatewayWrite,
  type ReadAnswer,
  type ReadPlace,
  type ReadRequest,
  type WriteAnswer,
  type WriteRequest
} from './gateway-messages.ts'

export interface GatewayServerInit extends Judge {
  /** The replicas without this node's cache: a client wants their present records. */
  readonly replicas: Replicas
  readonly numReplicas: number

  /** Decides who may write; undefined: everybody may. */
  readonly access?: Access | undefined

  /** Counts keys; undefined: nobody does. */
  readonly served?: Served | undefined

  /** Runs the lookups, together with those of watches for others. */
  readonly lookups?: DelegatedLookups | undefined
}

/** Keys of all clients that wait or are being looked up, and of one client. */
const MAX_KEYS = 8192
const MAX_KEYS_PER_PEER = 1024

/** Bytes of the records in one reply that beat writes. The rest is left to the outcomes. */
const MAX_WINNER_BYTES: number = MAX_MESSAGE_BYTES - TARGET_MESSAGE_BYTES

/**
 * Looks keys up, and stores, on behalf of clients that cannot reach the replicas (N14). It looks up by
 * key, and never passes on a request to a peer that the client names. A key costs one lookup.
 */
export class GatewayServer implements ServedProtocol<GatewayMessage> {
  readonly id: string = GATEWAY_PROTOCOL
  readonly codec: MessageCodec<GatewayMessage> = GATEWAY
  readonly mayPass = true
  readonly #init: GatewayServerInit
  readonly #keys = new OpenRequests({
    maxRequests: MAX_KEYS,
    maxRequestsPerPeer: MAX_KEYS_PER_PEER
  })
  readonly #lookups: DelegatedLookups

  constructor(init: GatewayServerInit) {
    this.#init = init
    this.#lookups = init.lookups ?? new DelegatedLookups()
  }

  serve(stream: Client['stream'], id: PeerId): StreamHandler<GatewayMessage> {
    const client: Client = { id, name: id.toString(), stream, isCancelled: false }
    return {
      respond: (message) => this.#respond(message, client),
      onClose() {
        client.isCancelled = true
      }
    }
  }

  #respond(message: GatewayMessage, client: Client): MaybePromise<Response<GatewayMessage>> {
    const { access, numReplicas } = this.#init
    const busy = { name: 'busy', id: message.id } as const

    // Each key costs requests to all its replicas, which count as the client's.
    switch (message.name) {
      case 'read':
        return {
          keys: numReplicas * message.keys.length,
          reply: this.#readAll(message, client),
          busy
        }
      case 'write':
        return whenDone(access?.allows(client.id, 'write') ?? true, (mayWrite) => ({
          keys: numReplicas * message.writes.length,
          reply: this.#writeAll(message, client, mayWrite),
          bytes: message.writes.reduce((sum, { record }) => sum + record.length, 0),
          busy
        }))
      default:
        throw new ProtocolViolationError(`"${message.name}" is not a request`)
    }
  }

  *#readAll(
    { id, keys, isLatest }: ReadRequest,
    client: Client
  ): Generator<undefined, Promise<GatewayMessage>> {
    const batch = new AnswerBatch<ReadAnswer>(client, { state: 'busy' }, recordBytes)

    for (const key of keys) {
      batch.add(this.#inTurn(batch, this.#read(key, isLatest, client)))
      yield
    }

    return batch.answers().then((known) => ({ name: 'records', id, answers: fitting(known) }))
  }

  *#writeAll(
    { id, writes }: WriteRequest,
    client: Client,
    mayWrite: boolean
  ): Generator<undefined, Promise<GatewayMessage>> {
    const batch = new AnswerBatch(client, answerOf('busy'), winnerBytes)

    for (const write of writes) {
      batch.add(
        mayWrite
          ? this.#inTurn(batch, this.#write(write, client))
          : Promise.resolve(answerOf('refused'))
      )
      yield
    }

    return batch
      .answers()
      .then((known) => ({ name: 'outcomes', id, answers: withoutExcess(known) }))
  }

  /**
   * Does something for one key when it is the client's turn, unless there is too much to do. Resolves with undefined,
   * and does nothing, if one message can't hold more answers.
   */
  async #inTurn<A>(batch: AnswerBatch<A>, task: Delegated<A>): Promise<A | undefined> {
    const { busy, client } = batch
    const { name } = client

    if (this.#keys.isFull(name)) {
      this.#init.served?.countRefusal('busy')
      return busy
    }

    this.#keys.begin(name)

    try {
      return await this.#lookups.run(name, async (count) => {
        if (client.isCancelled || batch.isFull) {
          return client.isCancelled ? busy : undefined
        }

        this.#init.served?.countKeys(name, 'gateway', 1)
        return batch.count(await task(count))
      })
    } finally {
      this.#keys.end(name)
    }
  }

  #read({ key, subkey }: ReadPlace, latest: boolean, cancellation: Client): Delegated<ReadAnswer> {
    const { replicas, store } = this.#init

    return async (count) => {
      try {
        const minFreshMs = replicas.known.nowMs()
        const reading = await replicas.read(key, { latest, cancellation, minFreshMs, subkey })
        const { record, responded } = reading
        replicas.repair(key, reading).catch(() => {})
        count(sizeOf(record, responded))

        if (isEmpty(record)) {
          return { state: 'absent', responded }
        }

        // Replicas that differ may hold more together than one message may carry.
        return encodedSize(record) > store.limits.maxRecordBytes
          ? { state: 'unreachable', responded, failed: 0 }
          : { state: 'held', responded, record: encodeRecord(record) }
      } catch (error) {
        if (error instanceof BusyError) {
          return { state: 'busy' }
        }

        const { respondedPeers: responded, failedPeers: failed } =
          error instanceof UnreachableError ? error : NOBODY
        return { state: 'unreachable', responded, failed }
      }
    }
  }

  #write({ key: keyBytes, record: bytes }: GatewayWrite, client: Client): Delegated<WriteAnswer> {
    const { replicas, store } = this.#init

    return async (count) => {
      // Copied: the replicas' requests keep them, and not the whole message.
      const key = keyBytes.slice()
      const write = await receivedRecord(client, key, bytes, this.#init)

      if (write === undefined) {
        return answerOf('refused')
      }

      try {
        const { outcome, peers, winner } = await replicas.write(key, write, client, client.name)
        count(sizeOf(write, peers.size))
        count(sizeOf(winner, peers.size))
        return {
          outcome,
          winner:
            winner && encodedSize(winner) <= store.limits.maxRecordBytes
              ? encodeRecord(winner)
              : undefined,
          replicas: [...peers].map(([{ id }, outcome]) => ({
            id: id.toMultihash().bytes,
            outcome
          }))
        }
      } catch {
        return answerOf('busy')
      }
    }
  }
}

/** Does the work for one key, and counts its results. */
type Delegated<A> = (count: (size: LookupSize) => void) => Promise<A>

/** Returns the size of a record that a number of peers sent or took. */
function sizeOf(record: DHTRecord = EMPTY_RECORD, copies: number): LookupSize {
  return { bytes: encodedSize(record), entries: record.subkeys.size, copies }
}

const NOBODY = { respondedPeers: 0, failedPeers: 0 } as const

function answerOf(outcome: 'busy' | 'refused'): WriteAnswer {
  return { outcome, winner: undefined, replicas: [] }
}

function recordBytes(answer: ReadAnswer): number {
  return 'record' in answer ? answer.record.length : 0
}

function winnerBytes({ winner }: WriteAnswer): number {
  return winner?.length ?? 0
}

/** Returns as many of the first answers as fit into one message, the first one in any case. */
function fitting(answers: readonly ReadAnswer[]): ReadAnswer[] {
  let sizeBytes = 0
  const end = answers.findIndex((answer, i) => {
    sizeBytes += recordBytes(answer)
    return i > 0 && sizeBytes > TARGET_MESSAGE_BYTES
  })
  return answers.slice(0, end < 0 ? answers.length : end)
}

/** Keeps all outcomes, because their writes were made, and leaves out the winners that one message can't hold. */
function withoutExcess(answers: readonly WriteAnswer[]): WriteAnswer[] {
  let sizeBytes = 0
  return answers.map((answer) => {
    sizeBytes += winnerBytes(answer)
    return sizeBytes > MAX_WINNER_BYTES ? { ...answer, winner: undefined } : answer
  })
}
