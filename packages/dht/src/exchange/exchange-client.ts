import type { Logger, PeerId, PeerInfo } from '@libp2p/interface'
import {
  type DHTRecord,
  EMPTY_RECORD,
  encodeRecord,
  type MaybePromise,
  type SubkeyId
} from '@waggle/record'
import { project, whenDone } from '@waggle/record/replica'
import { equals } from 'uint8arrays/equals'
import type { LookupResponse } from '../lookup/lookup.ts'
import type {
  FindOptions,
  FindReply,
  RecordChannel,
  SendOptions,
  StoreReply
} from '../lookup/record-channel.ts'
import { type Judge, receivedRecord } from '../store/received-record.ts'
import type { RecordStore } from '../store/record-store.ts'
import type { Activity } from '../wire/activity.ts'
import { INACTIVITY_TIMEOUT_MS } from '../wire/limits.ts'
import { PeerDecoder } from '../wire/peer-codec.ts'
import { type ClientParts, ProtocolClient } from '../wire/protocol-client.ts'
import { ProtocolViolationError } from '../wire/protocol-violation-error.ts'
import { EXCHANGE_PROTOCOL, type GoodbyeReason, type Message } from './messages.ts'
import {
  type ExchangeRequest,
  type ExchangeResponse,
  exchangeRequests,
  type FindOne
} from './requests.ts'

export interface ExchangeClientInit extends ClientParts, Pick<Judge, 'onForgery'> {
  readonly log: Logger

  /** For its limits, its checks and its clock. */
  readonly store: RecordStore

  /** Milliseconds that a peer may take to respond. It may be silent for as long. */
  readonly requestTimeoutMs: number

  /** The way to peers that lack the exchange (N3). */
  readonly kadChannel: RecordChannel

  /** Called with each peer that is about to disconnect, and why. */
  readonly onGoodbye?: (peer: PeerId, reason: GoodbyeReason) => void
}

/** Finds and stores records by the exchange, or else by kad-dht's messages. */
export class ExchangeClient implements RecordChannel {
  readonly #init: ExchangeClientInit
  readonly #client: ProtocolClient<ExchangeRequest, ExchangeResponse, Message>
  readonly #decoder = new PeerDecoder()
  #lastWrite: DHTRecord | undefined
  #lastEncoded: Uint8Array = new Uint8Array(0)

  constructor(init: ExchangeClientInit) {
    const { peers, requestTimeoutMs } = init
    this.#init = init
    this.#client = new ProtocolClient({
      ...init,
      id: EXCHANGE_PROTOCOL,
      streamLimits: { inactivityTimeoutMs: Math.max(INACTIVITY_TIMEOUT_MS, requestTimeoutMs) },
      speak: (peer) =>
        exchangeRequests(
          (encoded) => this.#decoder.decodeReferral(encoded, { by: peer, peers }),
          (reason) => init.onGoodbye?.(peer.id, reason)
        )
    })
  }

  find(peer: PeerInfo, key: Uint8Array, options: FindOptions): Promise<FindReply> {
    const { closerCount, isCloserAlways, cancellation } = options
    const { subkeys = NO_SUBKEYS, digest = NOTHING, maxAge = 0 } = options
    const request: FindOne = {
      name: 'find',
      key,
      subkeys,
      digest,
      closerCount,
      isCloserAlways,
      maxAge
    }

    return this.#client.request<FindReply>(peer, request, {
      cancellation,
      onResponse: ({ standing, record: bytes, ageMs, closer = NO_PEERS }) =>
        whenDone(bytes && this.#received(peer, { key, subkeys, bytes }), (record) => ({
          record,
          ageMs,
          closer,
          isSame: standing === 'same',
          isAbsent: standing === 'absent'
        })),
      fallback: () => this.#init.kadChannel.find(peer, key, options)
    })
  }

  store(
    peer: PeerInfo,
    key: Uint8Array,
    write: DHTRecord,
    options: SendOptions
  ): Promise<StoreReply> {
    const { closerCount, isCacheOnly = false, near, cancellation } = options
    const record = this.#encoded(write)
    const known = near?.digestBesides(peer.id) ?? 0
    const request = { name: 'store', key, record, known, closerCount, isCacheOnly } as const

    return this.#client.request<StoreReply>(peer, request, {
      cancellation,
      onResponse: ({ outcome, winner, closer: named }) => {
        if (outcome === undefined || outcome === 'invalid') {
          throw new ProtocolViolationError(
            `the peer ${peer.id} takes a valid write for an invalid one`
          )
        }

        const closer = named ?? near?.besides(peer.id) ?? NO_PEERS
        const areCloserKnown = named === undefined

        return outcome === 'stale'
          ? this.#beaten(peer, { key, winner, closer, areCloserKnown }, options)
          : { outcome, closer, areCloserKnown }
      },
      fallback: () => this.#init.kadChannel.store(peer, key, write, options)
    })
  }

  /** Returns the time of a peer's last progress with a request, in ms of the process's clock. */
  progressMs(peer: PeerInfo): number {
    return this.#client.progressMs(peer)
  }

  /** Requests that are not sent yet, and messages without a reply, to all peers. */
  get load(): { readonly waiting: number; readonly inFlight: number } {
    return this.#client.load
  }

  /** Returns the activity with a peer. */
  activityOf(peer: PeerId): Activity {
    return this.#client.activityOf(peer)
  }

  /** Opens the stream to a peer before there is anything to ask. */
  async openStream(peer: PeerInfo): Promise<void> {
    if (!this.#client.lacks(peer)) {
      await this.find(peer, NO_KEY, { closerCount: 0, isCloserAlways: true })
    }
  }

  /** Says goodbye on the stream to a peer, if there is one. Says whether there was. */
  sayGoodbye(peer: PeerId, reason: GoodbyeReason): boolean {
    return this.#client.notify(peer, { name: 'goodbye', id: 0, reason })
  }

  /** Ends all streams. */
  close(): void {
    this.#client.close()
  }

  /** Reads a record, or the part of it that was asked for. */
  #received(
    peer: PeerInfo,
    { key, subkeys, bytes }: ReceivedPart
  ): MaybePromise<DHTRecord | undefined> {
    if (subkeys.length === 0) {
      return receivedRecord(peer, key, bytes, this.#init)
    }

    // As a record, it would be one that has expired.
    return equals(bytes, NOTHING_HELD)
      ? EMPTY_RECORD
      : whenDone(
          receivedRecord(peer, key, bytes, this.#init),
          (record) => record && project(record, subkeys)
        )
  }

  /** Something that the peer holds beats a write: what it is, the peer says in its reply, or else when it is asked. */
  async #beaten(
    peer: PeerInfo,
    { key, winner: bytes, ...near }: Beaten,
    { isWinnerWanted = false }: SendOptions
  ): Promise<StoreReply> {
    if (bytes !== undefined || !isWinnerWanted) {
      const winner = bytes && (await receivedRecord(peer, key, bytes, this.#init))
      return { outcome: 'stale', winner, ...near }
    }

    const { record } = await this.find(peer, key, { closerCount: 0, isCloserAlways: true })
    return { outcome: 'stale', winner: record, ...near }
  }

  /** A write goes to several peers, mostly one after the other, and is encoded once for these. */
  #encoded(write: DHTRecord): Uint8Array {
    if (write !== this.#lastWrite) {
      this.#lastEncoded = encodeRecord(write)
      this.#lastWrite = write
    }

    return this.#lastEncoded
  }
}

interface ReceivedPart {
  readonly key: Uint8Array
  readonly subkeys: readonly SubkeyId[]
  readonly bytes: Uint8Array
}

interface Beaten extends LookupResponse {
  readonly key: Uint8Array
  readonly winner: Uint8Array | undefined
}

const NO_SUBKEYS: readonly SubkeyId[] = []
const NOTHING = new Uint8Array(0)
const NO_PEERS: readonly PeerInfo[] = []

/** The answer of a peer that holds a key, and nothing under the subkeys that were asked for. */
const NOTHING_HELD = encodeRecord(EMPTY_RECORD)

/** Nothing is ever stored under it. */
const NO_KEY = NOTHING
