import { AbortError, type Logger, type PeerId, type PeerInfo, type Stream } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import type { DHTRecord, MaybePromise } from '@waggle/record'
import { isPromise, whenDone } from '@waggle/record/replica'
import type { RecordChannel } from '../lookup/record-channel.ts'
import { connectedTo } from '../peers/connect.ts'
import { receivedRecord } from '../store/received-record.ts'
import type { RecordStore } from '../store/record-store.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import { OPEN_TIMEOUT_MS } from '../wire/limits.ts'
import { PeerDecoder } from '../wire/peer-codec.ts'
import { WATCH_PROTOCOL } from './limits.ts'
import { WatchClient, type WatchQuestion } from './watch-client.ts'

/** How a replica is told what to watch. */
export interface ChangeOptions {
  /** Of what is known. */
  readonly digest: Uint8Array

  /** How many peers near the key are wanted. */
  readonly closerCount: number

  /** Whether the replica may collect changes for a moment. */
  readonly isUnhurried: boolean
  readonly cancellation: CancellationToken
}

/** What a replica answers when it is asked to tell changes. */
export interface WatchReply {
  /** Whether it will. */
  readonly isWatched: boolean

  /** What it holds, unless that is known. */
  readonly record: DHTRecord | undefined
  readonly closer: readonly PeerInfo[]
}

/** How changes travel from other nodes to this one. */
export interface ChangeChannel {
  /** Has a peer tell changes, or merely asks what it holds if it can't. */
  watch(peer: PeerInfo, key: Uint8Array, options: ChangeOptions): Promise<WatchReply>
  unwatch(peer: PeerInfo, key: Uint8Array): void
}

export interface WatchChannelInit {
  readonly connectionManager: ConnectionManager
  readonly log: Logger

  /** For its limits and its clock. */
  readonly store: RecordStore

  /** The way to peers that can't tell changes. */
  readonly records: RecordChannel

  /** A peer has answered, be it too late for the one who asked. */
  readonly onAnswer: (peer: PeerId) => void

  /** A peer tells of a change. */
  readonly onChange: (key: Uint8Array, record: DHTRecord) => void

  /** A peer has broken the protocol. */
  readonly onViolation?: (peer: PeerId, error: Error) => void

  /** Who is not asked, because it broke the protocol lately. */
  readonly isBanned?: (peer: PeerId) => boolean

  /** A peer tells nothing any more. */
  readonly onLost: (peer: PeerId) => void
}

/** A stream to each peer that watches for this node; peers that don't speak its protocol are asked for what they hold. */
export class WatchChannel implements ChangeChannel {
  readonly #init: WatchChannelInit
  readonly #clients = new Map<string, WatchClient>()
  readonly #contacts = new PeerDecoder()

  constructor(init: WatchChannelInit) {
    this.#init = init
  }

  async watch(
    peer: PeerInfo,
    key: Uint8Array,
    { digest, closerCount, isUnhurried, cancellation }: ChangeOptions
  ): Promise<WatchReply> {
    try {
      const question: WatchQuestion = { name: 'watch', key, digest, closerCount, isUnhurried }
      const { state, record, closer } = await this.#clientOf(peer).ask(question, cancellation)
      return {
        isWatched: state === 'watched',
        record: record && (await this.#received(peer, key, record)),
        closer
      }
    } catch (error) {
      if (error instanceof Error && error.name === 'UnsupportedProtocolError') {
        const options = { closerCount, isCloserAlways: true, cancellation }
        const { record, closer } = await this.#init.records.find(peer, key, options)
        return { isWatched: false, record, closer }
      }

      throw error
    }
  }

  unwatch(peer: PeerInfo, key: Uint8Array): void {
    // Whoever is not there to be told will watch no longer than its lease.
    this.#clients
      .get(peer.id.toString())
      ?.ask({ name: 'unwatch', key, digest: NOTHING, closerCount: 0, isUnhurried: false })
      .catch(() => {})
  }

  /** Ends all streams. */
  close(): void {
    for (const client of this.#clients.values()) {
      client.close(new AbortError('the node was stopped'))
    }
  }

  #clientOf(peer: PeerInfo): WatchClient {
    const name = peer.id.toString()
    const known = this.#clients.get(name)

    if (known !== undefined) {
      return known
    }

    const client = new WatchClient({
      open: () => this.#open(peer),
      contactOf: (introduced) => this.#contacts.of(introduced),
      onChange: (key, bytes) => this.#onChange(peer, key, bytes),
      onViolation: (error) => this.#init.onViolation?.(peer.id, error),
      onAnswer: () => this.#init.onAnswer(peer.id),
      onEnd: () => {
        this.#clients.delete(name)
        this.#init.onLost(peer.id)
      }
    })
    this.#clients.set(name, client)
    return client
  }

  /** Those that take longer to check may come behind later ones: joined, they come to the same. */
  #onChange(peer: PeerInfo, key: Uint8Array, bytes: Uint8Array): void {
    void whenDone(this.#received(peer, key, bytes), (record) => {
      if (record !== undefined) {
        this.#init.onChange(key, record)
      }
    })
  }

  #received(
    peer: PeerInfo,
    key: Uint8Array,
    bytes: Uint8Array
  ): MaybePromise<DHTRecord | undefined> {
    const record = receivedRecord(peer, key, bytes, this.#init)

    if (isPromise(record)) {
      this.#clients.get(peer.id.toString())?.checking(record)
    }

    return record
  }

  async #open(peer: PeerInfo): Promise<Stream> {
    const { connectionManager, isBanned: isBanished } = this.#init

    if (isBanished?.(peer.id)) {
      throw new Error(`the peer ${peer.id} broke the protocol lately`)
    }

    const signal = AbortSignal.timeout(OPEN_TIMEOUT_MS)
    await connectedTo(connectionManager, peer, { signal })
    return connectionManager.openStream(peer.id, WATCH_PROTOCOL, { signal })
  }
}

const NOTHING = new Uint8Array(0)
