import { AbortError, type Logger, type PeerId, type Stream } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { type DHTRecord, encodeRecord, type MaybePromise } from '@waggle/record'
import { whenDone } from '@waggle/record/replica'
import { connectedTo } from '../connect.ts'
import { timeoutSignal } from '../deadline.ts'
import { BusyError } from '../errors.ts'
import type {
  Contact,
  FindOptions,
  FindReply,
  RecordChannel,
  StoreReply,
  Wanted,
  WriteOptions
} from '../interface.ts'
import { DEFAULT_NODE_LIMITS, type NodeLimits } from '../node-limits.ts'
import { receivedRecord } from '../received-record.ts'
import type { RecordStore } from '../store/record-store.ts'
import { Contacts } from './contacts.ts'
import { DialAllowance } from './dial-allowance.ts'
import { type Answer, ExchangeClient } from './exchange-client.ts'
import { Hearsay } from './hearsay.ts'
import {
  EXCHANGE_PROTOCOL,
  MAX_REMEMBERED_CONTACTS,
  MAX_SILENCE_MS,
  OPEN_TIMEOUT_MS,
  STOCK_PEER_MEMORY_MS
} from './limits.ts'
import type { WirePeer } from './messages.ts'
import { ExchangeProtocolError } from './protocol-error.ts'
import type { Question } from './questions.ts'

export interface ExchangeChannelInit {
  readonly connectionManager: ConnectionManager
  readonly log: Logger

  /** For its limits and its clock. */
  readonly store: RecordStore

  /** @default DEFAULT_NODE_LIMITS */
  readonly limits?: NodeLimits | undefined

  /** How long a peer may take to answer: connecting may take as long, and silence. */
  readonly requestTimeoutMs?: number | undefined

  /** Who is not asked, because it broke the protocol lately. */
  readonly isBanished?: (peer: PeerId) => boolean

  /** A peer has broken the protocol. */
  readonly onOffence?: (peer: PeerId, error: Error) => void

  /** Whether this node knows the peer otherwise than by what others say. */
  readonly isKnown?: (peer: PeerId) => boolean

  /** A peer has answered, be it too late for the one who asked. */
  readonly onAnswer: (peer: PeerId) => void

  /** The way to peers that do not speak the exchange (N3). */
  readonly stockChannel: RecordChannel
}

/** A question, and what becomes of it. */
interface Exchange<T> {
  readonly question: Question
  readonly request: Wanted | undefined
  readonly onAnswer: (answer: Answer) => MaybePromise<T>
  readonly onStock: () => Promise<T>
}

/** Records travelling by the exchange, one long-lived stream a peer, or else as stock peers have it. */
export class ExchangeChannel implements RecordChannel {
  readonly #init: ExchangeChannelInit
  readonly #clients = new Map<string, ExchangeClient>()
  /** Where each of them is to be reached: as it was named last. */
  readonly #latest = new Map<string, Contact>()
  readonly #contacts = new Contacts()
  readonly #dials: DialAllowance
  readonly #hearsay = new Hearsay()
  /** Until when, in ms of the process's clock, a peer is taken for a stock one. */
  readonly #stockUntilMs = new Map<string, number>()
  #lastWrite: DHTRecord | undefined
  #lastEncoded: Uint8Array = new Uint8Array(0)

  constructor(init: ExchangeChannelInit) {
    this.#init = init
    this.#dials = new DialAllowance((init.limits ?? DEFAULT_NODE_LIMITS).maxDialsPerSecond)
  }

  find(peer: Contact, key: Uint8Array, options: FindOptions): Promise<FindReply> {
    const { closerCount, isCloserAlways, request } = options

    return this.#ask(peer, {
      question: { name: 'find', key, closerCount, isCloserAlways },
      request,
      onAnswer: ({ record: bytes, closer }) =>
        whenDone(bytes && receivedRecord(peer, key, bytes, this.#init), (record) => ({
          record,
          closer
        })),
      onStock: () => this.#init.stockChannel.find(peer, key, options)
    })
  }

  store(
    peer: Contact,
    key: Uint8Array,
    write: DHTRecord,
    options: WriteOptions
  ): Promise<StoreReply> {
    const { closerCount, isCopy = false, request } = options

    return this.#ask(peer, {
      question: { name: 'store', key, record: this.#encoded(write), closerCount, isCopy },
      request,
      onAnswer: ({ outcome, closer }) => {
        if (outcome === undefined || outcome === 'invalid') {
          throw new ExchangeProtocolError(
            `the peer ${peer.id} takes a valid write for an invalid one`
          )
        }

        return { outcome, closer }
      },
      onStock: () => this.#init.stockChannel.store(peer, key, write, options)
    })
  }

  isReady(peer: Contact): boolean {
    const name = peer.id.toString()
    return this.#isStock(name)
      ? this.#init.stockChannel.isReady(peer)
      : this.#clients.get(name)?.isOpen === true
  }

  /**
   * Whether a peer is to be asked after all others: it was not there lately, and has not been met since, or those
   * whom its namer named before were not there.
   */
  isDoubtful(peer: Contact): boolean {
    const isMissed = this.#hearsay.isMissed(peer) && this.#isStranger(peer)
    return isMissed || this.#hearsay.isDoubtful(peer)
  }

  /**
   * A peer has not answered. True if it is known by what others say only, and is not connected: then it is not
   * the peer that is avoided, but these addresses.
   */
  missed(peer: Contact): boolean {
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
  #ask<T>(peer: Contact, { question, request, onAnswer, onStock }: Exchange<T>): Promise<T> {
    const name = peer.id.toString()

    if (this.#isStock(name)) {
      return onStock()
    }

    const client = this.#clientOf(peer, name)

    if (!client.isOpen) {
      this.#latest.set(name, peer)
    }

    return client.ask(question, request).then(onAnswer, (error: unknown) => {
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

  #clientOf(peer: Contact, name: string): ExchangeClient {
    const known = this.#clients.get(name)

    if (known !== undefined) {
      return known
    }

    const client = new ExchangeClient({
      limits: this.#init.limits,
      maxSilenceMs: Math.max(MAX_SILENCE_MS, this.#init.requestTimeoutMs ?? 0),
      onOffence: (error) => this.#init.onOffence?.(peer.id, error),
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

  #heardOf(introduced: WirePeer, by: PeerId): Contact | undefined {
    const contact = this.#contacts.of(introduced)

    if (contact !== undefined && this.#isStranger(contact)) {
      this.#hearsay.named(contact, by)
    }

    return contact
  }

  async #open(peer: Contact): Promise<Stream> {
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

  async #connect(peer: Contact): Promise<Stream> {
    const { connectionManager, requestTimeoutMs = 0 } = this.#init
    const signal = timeoutSignal(Math.max(OPEN_TIMEOUT_MS, requestTimeoutMs))
    await connectedTo(connectionManager, peer, { signal })
    return connectionManager.openStream(peer.id, EXCHANGE_PROTOCOL, { signal })
  }

  /** Whether a peer is known by what others say only. */
  #isStranger({ id }: Contact): boolean {
    const { connectionManager, isKnown } = this.#init
    return isKnown?.(id) === false && connectionManager.getConnections(id).length === 0
  }

  /** Throws for a peer that is not to be asked, or not to be dialled just now. */
  #assertWelcome({ id, multiaddrs }: Contact, isStranger: boolean): void {
    if (this.#init.isBanished?.(id)) {
      throw new ExchangeProtocolError(`the peer ${id} broke the protocol lately`)
    }

    if (isStranger && !this.#dials.takes(multiaddrs.length)) {
      throw new BusyError('too many peers that others have named are being dialled')
    }
  }
}
