import { AbortError, type Logger, type PeerId, type PeerInfo, type Stream } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { type DHTRecord, encodeRecord, type MaybePromise } from '@waggle/record'
import { whenDone } from '@waggle/record/replica'
import { BusyError } from '../errors.ts'
import type {
  FindOptions,
  FindReply,
  RecordChannel,
  StoreReply,
  WriteOptions
} from '../lookup/record-channel.ts'
import { DEFAULT_NODE_LIMITS, type NodeLimits } from '../node-limits.ts'
import { connectedTo } from '../peers/connect.ts'
import { DialAllowance } from '../peers/dial-limiter.ts'
import { ReferralReputation } from '../peers/referrals.ts'
import { receivedRecord } from '../store/received-record.ts'
import type { RecordStore } from '../store/record-store.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import { timeoutSignal } from '../timing/deadline.ts'
import {
  EXCHANGE_PROTOCOL,
  MAX_REMEMBERED_CONTACTS,
  MAX_SILENCE_MS,
  OPEN_TIMEOUT_MS,
  STOCK_PEER_MEMORY_MS
} from '../wire/limits.ts'
import type { EncodedPeer } from '../wire/peer-codec.ts'
import { PeerDecoder } from '../wire/peer-codec.ts'
import { ExchangeProtocolError } from '../wire/protocol-error.ts'
import { type Answer, ExchangeClient } from './exchange-client.ts'
import type { ExchangeRequest } from './requests.ts'

export interface ExchangeChannelInit {
  readonly connectionManager: ConnectionManager
  readonly log: Logger

  /** For its limits and its clock. */
  readonly store: RecordStore

  /** @default DEFAULT_NODE_LIMITS */
  readonly limits?: NodeLimits | undefined

  /** Dials that count together with those of other protocols. @default the limits' own */
  readonly dials?: DialAllowance

  /** How long a peer may take to answer: connecting may take as long, and silence. */
  readonly requestTimeoutMs?: number | undefined

  /** Who is not asked, because it broke the protocol lately. */
  readonly isBanned?: (peer: PeerId) => boolean

  /** A peer has broken the protocol. */
  readonly onViolation?: (peer: PeerId, error: Error) => void

  /** Whether this node knows the peer otherwise than by what others say. */
  readonly isKnown?: (peer: PeerId) => boolean

  /** A peer has answered, be it too late for the one who asked. */
  readonly onAnswer: (peer: PeerId) => void

  /** The way to peers that do not speak the exchange (N3). */
  readonly kadChannel: RecordChannel
}

/** A question, and what becomes of it. */
interface Exchange<T> {
  readonly question: ExchangeRequest
  readonly cancellation: CancellationToken | undefined
  readonly onAnswer: (answer: Answer) => MaybePromise<T>
  readonly onStock: () => Promise<T>
}

/** Records travelling by the exchange, one long-lived stream a peer, or else as stock peers have it. */
export class ExchangeChannel implements RecordChannel {
  readonly #init: ExchangeChannelInit
  readonly #clients = new Map<string, ExchangeClient>()
  /** Where each of them is to be reached: as it was named last. */
  readonly #latest = new Map<string, PeerInfo>()
  readonly #contacts = new PeerDecoder()
  readonly #dials: DialAllowance
  readonly #hearsay = new ReferralReputation()
  /** Until when, in ms of the process's clock, a peer is taken for a stock one. */
  readonly #stockUntilMs = new Map<string, number>()
  #lastWrite: DHTRecord | undefined
  #lastEncoded: Uint8Array = new Uint8Array(0)

  constructor(init: ExchangeChannelInit) {
    this.#init = init
    this.#dials =
      init.dials ?? new DialAllowance((init.limits ?? DEFAULT_NODE_LIMITS).maxDialsPerSecond)
  }

  find(peer: PeerInfo, key: Uint8Array, options: FindOptions): Promise<FindReply> {
    const { closerCount, isCloserAlways, cancellation } = options

    return this.#ask(peer, {
      question: { name: 'find', key, closerCount, isCloserAlways },
      cancellation,
      onAnswer: ({ record: bytes, closer }) =>
        whenDone(bytes && receivedRecord(peer, key, bytes, this.#init), (record) => ({
          record,
          closer
        })),
      onStock: () => this.#init.kadChannel.find(peer, key, options)
    })
  }

  store(
    peer: PeerInfo,
    key: Uint8Array,
    write: DHTRecord,
    options: WriteOptions
  ): Promise<StoreReply> {
    const { closerCount, isCopy = false, cancellation } = options

    return this.#ask(peer, {
      question: { name: 'store', key, record: this.#encoded(write), closerCount, isCopy },
      cancellation,
      onAnswer: ({ outcome, closer }) => {
        if (outcome === undefined || outcome === 'invalid') {
          throw new ExchangeProtocolError(
            `the peer ${peer.id} takes a valid write for an invalid one`
          )
        }

        return { outcome, closer }
      },
      onStock: () => this.#init.kadChannel.store(peer, key, write, options)
    })
  }

  isReady(peer: PeerInfo): boolean {
    const name = peer.id.toString()
    return this.#isStock(name)
      ? this.#init.kadChannel.isReady(peer)
      : this.#clients.get(name)?.isOpen === true
  }

  /**
   * Whether a peer is to be asked after all others: it was not there lately, and has not been met since, or those
   * whom its namer named before were not there.
   */
  isDoubtful(peer: PeerInfo): boolean {
    const isMissed = this.#hearsay.isMissed(peer) && this.#isStranger(peer)
    return isMissed || this.#hearsay.isDoubtful(peer)
  }

  /**
   * A peer has not answered. True if it is known by what others say only, and is not connected: then it is not
   * the peer that is avoided, but these addresses.
   */
  missed(peer: PeerInfo): boolean {
    const isStranger = this.#isStranger(peer)

    if (isStranger) {
      this.#hearsay.missed(peer)
    }

    return isStranger
  }

  /** How many questions are not sent yet, and how many messages not answered, to all peers. */
  get load(): { readonly waiting: number; readonly underWay: number } {
    let [waiting, underWay] = [0, 0]

    for (const client of this.#clients.values()) {
      waiting += client.waiting
      underWay += client.underWay
    }

    return { waiting, underWay }
  }

  /** Ends all streams. */
  close(): void {
    for (const client of this.#clients.values()) {
      client.close(new AbortError('the node was stopped'))
    }
  }

  /** Goes the way of stock peers if the peer does not speak the exchange. */
  #ask<T>(peer: PeerInfo, { question, cancellation, onAnswer, onStock }: Exchange<T>): Promise<T> {
    const name = peer.id.toString()

    if (this.#isStock(name)) {
      return onStock()
    }

    const client = this.#clientOf(peer, name)

    if (!client.isOpen) {
      this.#latest.set(name, peer)
    }

    return client.ask(question, cancellation).then(onAnswer, (error: unknown) => {
      if (error instanceof Error && error.name === 'UnsupportedProtocolError') {
        this.#rememberStock(name)
        return onStock()
      }

      throw error
    })
  }

  /** A write goes to several peers, mostly one after the other, and is encoded once for these. */
  #encoded(write: DHTRecord): Uint8Array {
    if (write !== this.#lastWrite) {
      this.#lastEncoded = encodeRecord(write)
      this.#lastWrite = write
    }

    return this.#lastEncoded
  }

  #rememberStock(name: string): void {
    const [oldest] = this.#stockUntilMs.keys()

    if (this.#stockUntilMs.size >= MAX_REMEMBERED_CONTACTS && oldest !== undefined) {
      this.#stockUntilMs.delete(oldest)
    }

    this.#stockUntilMs.set(name, performance.now() + STOCK_PEER_MEMORY_MS)
  }

  #isStock(name: string): boolean {
    if (this.#stockUntilMs.size === 0) {
      return false
    }

    const untilMs = this.#stockUntilMs.get(name)

    if (untilMs !== undefined && untilMs < performance.now()) {
      this.#stockUntilMs.delete(name)
      return false
    }

    return untilMs !== undefined
  }

  #clientOf(peer: PeerInfo, name: string): ExchangeClient {
    const known = this.#clients.get(name)

    if (known !== undefined) {
      return known
    }

    const client = new ExchangeClient({
      limits: this.#init.limits,
      maxSilenceMs: Math.max(MAX_SILENCE_MS, this.#init.requestTimeoutMs ?? 0),
      onViolation: (error) => this.#init.onViolation?.(peer.id, error),
      open: () => this.#open(this.#latest.get(name) ?? peer),
      contactOf: (introduced) => this.#heardOf(introduced, peer.id),
      onAnswer: () => this.#init.onAnswer(peer.id),
      onIdle: () => {
        this.#clients.delete(name)
        this.#latest.delete(name)
      }
    })
    this.#clients.set(name, client)
    return client
  }

  #heardOf(introduced: EncodedPeer, by: PeerId): PeerInfo | undefined {
    const contact = this.#contacts.of(introduced)

    if (contact !== undefined && this.#isStranger(contact)) {
      this.#hearsay.named(contact, by)
    }

    return contact
  }

  async #open(peer: PeerInfo): Promise<Stream> {
    const isStranger = this.#isStranger(peer)
    this.#assertWelcome(peer, isStranger)

    try {
      const stream = await this.#connect(peer)
      this.#hearsay.tried(peer, true)
      return stream
    } catch (error) {
      if (isStranger) {
        this.#hearsay.tried(peer, false)
      }

      throw error
    }
  }

  async #connect(peer: PeerInfo): Promise<Stream> {
    const { connectionManager, requestTimeoutMs = 0 } = this.#init
    const signal = timeoutSignal(Math.max(OPEN_TIMEOUT_MS, requestTimeoutMs))
    await connectedTo(connectionManager, peer, { signal })
    return connectionManager.openStream(peer.id, EXCHANGE_PROTOCOL, { signal })
  }

  /** Whether a peer is known by what others say only. */
  #isStranger({ id }: PeerInfo): boolean {
    const { connectionManager, isKnown } = this.#init
    return isKnown?.(id) === false && connectionManager.getConnections(id).length === 0
  }

  /** Throws for a peer that is not to be asked, or not to be dialled just now. */
  #assertWelcome({ id, multiaddrs }: PeerInfo, isStranger: boolean): void {
    if (this.#init.isBanned?.(id)) {
      throw new ExchangeProtocolError(`the peer ${id} broke the protocol lately`)
    }

    if (isStranger && !this.#dials.takes(multiaddrs.length)) {
      throw new BusyError('too many peers that others have named are being dialled')
    }
  }
}
