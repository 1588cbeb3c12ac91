import type { Logger, PeerId, PeerInfo } from '@libp2p/interface'
import type { DHTRecord, MaybePromise, SubkeyId } from '@waggle/record'
import { isPromise, project, whenDone } from '@waggle/record/replica'
import type { RecordChannel } from '../lookup/record-channel.ts'
import { type Judge, receivedRecord } from '../store/received-record.ts'
import type { RecordStore } from '../store/record-store.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import type { Activity } from '../wire/activity.ts'
import { PeerDecoder } from '../wire/peer-codec.ts'
import { type ClientParts, ProtocolClient } from '../wire/protocol-client.ts'
import { MAX_QUEUED_KEYS } from './limits.ts'
import {
  WATCH_PROTOCOL,
  type WatchedPlace,
  type WatchMessage,
  type WatchRole
} from './watch-messages.ts'
import {
  type SubscriptionRequest,
  type SubscriptionResponse,
  watchRequests
} from './watch-requests.ts'

/** The options of a request to notify of changes. */
export interface WatchRequestOptions {
  /** Digest of the known record. */
  readonly digest: Uint8Array

  /** Closer peers that are wanted. */
  readonly closerCount: number
  readonly role: WatchRole
  readonly cancellation: CancellationToken
}

/** A replica's reply to the request to notify of changes. */
export interface WatchReply {
  /** Whether it will. */
  readonly isWatched: boolean

  /** The record that it holds, unless that is known. */
  readonly record: DHTRecord | undefined
  readonly closer: readonly PeerInfo[]

  /** Peers that may forward changes, in the order in which to ask them, if the replica is full. */
  readonly forwarders: readonly PeerInfo[]

  /** Whether a plain kad-dht peer replied. */
  readonly isPlain?: boolean
}

/** The way of changes from other nodes to this one. */
export interface ChangeChannel {
  /** Asks a peer to notify of changes, or only for its record if it cannot. */
  watch(peer: PeerInfo, place: WatchedPlace, options: WatchRequestOptions): Promise<WatchReply>
  unwatch(peer: PeerInfo, place: WatchedPlace): void
}

export interface WatchClientInit extends ClientParts, Pick<Judge, 'onForgery'> {
  readonly log: Logger

  /** For its limits, its checks and its clock. */
  readonly store: RecordStore

  /** The way to peers that cannot notify. */
  readonly records: RecordChannel

  /** A peer notifies of a change. */
  readonly onChange: (place: WatchedPlace, record: DHTRecord) => void

  /** A peer notifies of nothing any more. */
  readonly onLost: (peer: PeerId) => void
}

/** Subscribes to keys at peers. Peers without the watch protocol are asked for their records. */
export class WatchClient implements ChangeChannel {
  readonly #init: WatchClientInit
  readonly #client: ProtocolClient<SubscriptionRequest, SubscriptionResponse, WatchMessage>
  readonly #decoder = new PeerDecoder()

  constructor(init: WatchClientInit) {
    const { peers } = init
    this.#init = init
    this.#client = new ProtocolClient({
      ...init,
      id: WATCH_PROTOCOL,
      streamLimits: { maxRequests: MAX_QUEUED_KEYS },
      speak: (peer) =>
        watchRequests({
          peerOf: (encoded) => this.#decoder.decodeReferral(encoded, { by: peer, peers }),
          onChange: (place, bytes) => this.#onChange(peer, place, bytes)
        }),
      onEnd: ({ id }) => init.onLost(id)
    })
  }

  watch(
    peer: PeerInfo,
    { key, subkey }: WatchedPlace,
    { digest, closerCount, role, cancellation }: WatchRequestOptions
  ): Promise<WatchReply> {
    const request = { name: 'watch', key, subkey, digest, closerCount, role } as const

    return this.#client.request<WatchReply>(peer, request, {
      cancellation,
      onResponse: async ({ state, record, closer }) => ({
        isWatched: state === 'watched',
        record: record && (await this.#received(peer, { key, subkey }, record)),
        closer,
        forwarders: state === 'full' ? closer : []
      }),
      fallback: async () => {
        const subkeys = subkey === undefined ? [] : [subkey]
        const options = { closerCount, isCloserAlways: true, subkeys, cancellation }
        const found = await this.#init.records.find(peer, key, options)
        return { isWatched: false, record: undefined, forwarders: [], ...found }
      }
    })
  }

  unwatch(peer: PeerInfo, { key, subkey }: WatchedPlace): void {
    // A peer that cannot be told watches no longer than its lease.
    this.#client
      .streamTo(peer)
      ?.request({ name: 'unwatch', key, subkey, digest: NOTHING, closerCount: 0, role: 'prompt' })
      .catch(() => {})
  }

  /** Returns the time of a peer's last progress with a request, in ms of the process's clock. */
  progressMs(peer: PeerInfo): number {
    return this.#client.progressMs(peer)
  }

  /** Returns the activity with a peer: subscriptions, above all. */
  activityOf(peer: PeerId): Activity {
    return this.#client.activityOf(peer)
  }

  /** Ends all streams. */
  close(): void {
    this.#client.close()
  }

  /** A change that takes longer to check may be overtaken by later ones: joined, they come to the same. */
  #onChange(peer: PeerInfo, place: WatchedPlace, bytes: Uint8Array): void {
    void whenDone(this.#received(peer, place, bytes), (record) => {
      if (record !== undefined) {
        this.#init.onChange(place, record)
      }
    })
  }

  #received(
    peer: PeerInfo,
    { key, subkey }: WatchedPlace,
    bytes: Uint8Array
  ): MaybePromise<DHTRecord | undefined> {
    const record = whenDone(receivedRecord(peer, key, bytes, this.#init), (record) =>
      wantedOf(record, subkey)
    )

    if (isPromise(record)) {
      this.#client.streamTo(peer)?.trackCheck(record)
    }

    return record
  }
}

const NOTHING = new Uint8Array(0)

function wantedOf(
  record: DHTRecord | undefined,
  subkey: SubkeyId | undefined
): DHTRecord | undefined {
  return record === undefined || subkey === undefined ? record : project(record, [subkey])
}
