import type { AbortOptions, Logger, PeerInfo } from '@libp2p/interface'
import type { MessageType, PeerResponseEvent, QueryEvent } from '@libp2p/kad-dht'
import { Libp2pRecord } from '@libp2p/record'
import { type Applied, apply, type DHTRecord, EMPTY_RECORD, encodeRecord } from '@waggle/record'
import { project } from '@waggle/record/replica'
import { pipe } from 'it-pipe'
import { equals } from 'uint8arrays/equals'
import { SEARCH_WIDTH } from '../constants.ts'
import type {
  FindOptions,
  FindReply,
  RecordChannel,
  ReplyOutcome,
  SendOptions,
  StoreReply
} from '../lookup/record-channel.ts'
import { receivedRecord } from '../store/received-record.ts'
import type { RecordStore } from '../store/record-store.ts'
import { type ProgressSignal, progressSignal } from '../timing/progress-signal.ts'
import type { Dialer } from '../wire/dialer.ts'
import { dialable } from '../wire/peer-codec.ts'
import { type KadInternals, NO_PATH } from './internals.ts'
import { GET_VALUE_TYPE, PUT_VALUE_TYPE } from './message-types.ts'
import { RequestGate, retryResets } from './request-gate.ts'
import type { StreamProgress } from './stream-progress.ts'

export interface KadChannelComponents {
  kad: KadInternals
  log: Logger
  requestTimeoutMs: number
  progress: Pick<StreamProgress, 'expect' | 'progressMs'>

  /** Connects to a peer, unless there is a connection. */
  dialer: Pick<Dialer, 'connect' | 'progressMs'>

  /** The store, for its limits and its clock. */
  store: RecordStore
}

/**
 * Reads and writes records by kad-dht's own messages, which every plain kad-dht peer understands. Such a peer
 * overwrites its record, so a write reads that record, merges here and puts the result back.
 */
export class KadChannel implements RecordChannel {
  readonly #components: KadChannelComponents
  readonly #gate = new RequestGate()

  constructor(components: KadChannelComponents) {
    this.#components = components
  }

  /** Reads the whole record, and selects the subkeys here, because the protocol has no subkeys. */
  async find(
    peer: PeerInfo,
    key: Uint8Array,
    { subkeys = [] }: Pick<FindOptions, 'subkeys'> = {}
  ): Promise<FindReply> {
    using inTime = this.#inTime(peer)
    const reply = await this.#find(peer, key, inTime)
    const { record } = reply
    return record === undefined || subkeys.length === 0
      ? reply
      : { ...reply, record: project(record, subkeys) }
  }

  async store(
    peer: PeerInfo,
    key: Uint8Array,
    write: DHTRecord,
    { isCacheOnly = false }: SendOptions
  ): Promise<StoreReply> {
    if (isCacheOnly) {
      throw new Error('a plain kad-dht peer can not tell a copy from a replica')
    }

    using inTime = this.#inTime(peer)
    return await this.#store(peer, key, { write, signal: inTime.signal })
  }

  /** Returns the signal that ends a request: kad-dht supports no other way. */
  #inTime(peer: PeerInfo): ProgressSignal {
    const { dialer, progress, requestTimeoutMs } = this.#components
    return progressSignal(requestTimeoutMs, () =>
      Math.max(progress.progressMs(peer), dialer.progressMs(peer))
    )
  }

  async #find(peer: PeerInfo, key: Uint8Array, options: AbortOptions): Promise<FindReply> {
    const { closer, record } = await retryResets(
      () => this.#request(peer, { type: GET_VALUE_TYPE, key }, options),
      options
    )

    return {
      record:
        record && equals(record.key, key)
          ? await receivedRecord(peer, key, record.value, this.#components)
          : undefined,
      closer: closer.slice(0, SEARCH_WIDTH).map(dialable),
      isPlain: true
    }
  }

  async #store(
    peer: PeerInfo,
    key: Uint8Array,
    { write, ...options }: AbortOptions & { write: DHTRecord }
  ): Promise<StoreReply> {
    const { record: held = EMPTY_RECORD, closer } = await this.#find(peer, key, options)
    const merged = this.#apply(held, write)

    if (!merged.isAccepted || merged.record === held) {
      return { outcome: outcomeOf(merged), winner: held, closer }
    }

    const put = async (): Promise<Omit<StoreReply, 'closer'>> => {
      try {
        await this.#put(peer, key, merged.record, options)
        return { outcome: 'accepted' }
      } catch (error) {
        return this.#rejection(peer, { key, write, error, ...options })
      }
    }
    return { ...(await retryResets(put, options)), closer }
  }

  /**
   * Determines why a put failed. A replica that refuses a record resets the stream, as a broken connection does.
   * The peer's current record shows which of the two it was.
   */
  async #rejection(
    peer: PeerInfo,
    {
      key,
      write,
      error,
      signal
    }: AbortOptions & { key: Uint8Array; write: DHTRecord; error: unknown }
  ): Promise<Omit<StoreReply, 'closer'>> {
    const { record: held = EMPTY_RECORD } = await this.#find(peer, key, { signal })
    const again = this.#apply(held, write)

    if (again.isAccepted) {
      throw error
    }

    return { outcome: again.reason, winner: held }
  }

  #apply(held: DHTRecord, write: DHTRecord): Applied {
    const { clock, limits } = this.#components.store
    return apply(held, write, { now: clock(), limits })
  }

  async #put(
    peer: PeerInfo,
    key: Uint8Array,
    merged: DHTRecord,
    options: AbortOptions
  ): Promise<void> {
    const record = new Libp2pRecord(key, encodeRecord(merged), new Date()).serialize()
    // Sent once, and returned in the response.
    this.#components.progress.expect(peer, 2 * record.length)
    await this.#request(peer, { type: PUT_VALUE_TYPE, key, record }, options)
  }

  async #request(
    peer: PeerInfo,
    message: { type: MessageType; key: Uint8Array; record?: Uint8Array },
    options: AbortOptions
  ): Promise<PeerResponseEvent> {
    const { dialer, kad } = this.#components
    const send = async (): Promise<PeerResponseEvent> => {
      await dialer.connect(peer, { ...options, task: 'kad' })
      const events = kad.network.sendRequest(peer.id, message, { ...options, path: NO_PATH })
      return pipe(events, response)
    }
    return this.#gate.run(peer.id, send, options)
  }
}

function outcomeOf(applied: Applied): ReplyOutcome {
  return applied.isAccepted ? 'accepted' : applied.reason
}

async function response(events: AsyncIterable<QueryEvent>): Promise<PeerResponseEvent> {
  for await (const event of events) {
    if (event.name === 'PEER_RESPONSE') {
      return event
    }

    if (event.name === 'QUERY_ERROR') {
      throw event.error
    }
  }

  throw new Error('kad-dht is not running')
}
