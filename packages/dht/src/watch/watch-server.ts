import type { PeerId } from '@libp2p/interface'
import { type DHTRecord, encodeRecord, isEmpty, type SubkeyId } from '@waggle/record'
import { project } from '@waggle/record/replica'
import { keyOf, type RecordStore } from '../store/record-store.ts'
import { Alarm } from '../timing/alarm.ts'
import type { FramedStream } from '../wire/framed-stream.ts'
import type { ServedProtocol } from '../wire/protocol-server.ts'
import type { MessageCodec } from '../wire/schema.ts'
import type { Served } from '../wire/served.ts'
import { LEASE_MS } from './limits.ts'
import { Notices } from './notices.ts'
import { SubscriberStream, type Subscription } from './subscriber-stream.ts'
import { type AdmissionInit, WatchAdmission } from './watch-admission.ts'
import { changedFrame, WATCH, WATCH_PROTOCOL, type WatchMessage } from './watch-messages.ts'

export interface WatchServerInit extends Omit<AdmissionInit, 'onForwarded'> {
  readonly store: RecordStore

  /** Counts notices; undefined: they are not counted. */
  readonly served?: Served | undefined
}

/** Milliseconds between two looks at leases. */
const SWEEP_MS: number = LEASE_MS / 3

/**
 * Notifies other peers of changes to what this node holds. A change is encoded once for all
 * subscribers, as the write itself, which costs the same in a small dictionary and in a large one.
 * Subscribers of single subkeys get their part of it, or nothing.
 */
export class WatchServer implements ServedProtocol<WatchMessage> {
  readonly id: string = WATCH_PROTOCOL
  readonly codec: MessageCodec<WatchMessage> = WATCH
  readonly #init: WatchServerInit
  readonly #admission: WatchAdmission
  readonly #open = new Set<SubscriberStream>()
  readonly #alarm = new Alarm(() => this.#sweep())
  readonly #notices: Notices<Subscription>

  constructor(init: WatchServerInit) {
    this.#init = init
    this.#admission = new WatchAdmission({
      ...init,
      onForwarded: (name, change) => this.#notices.add(name, change)
    })
    this.#notices = new Notices({
      limits: init.store.limits,
      clock: init.store.clock,
      subscribersOf: (name) => this.#admission.subscribersOf(name),
      send: (name, write, to) => this.#notify(name, write, to)
    })
    init.store.onWrite((name, write) => this.#notices.add(name, write))
  }

  /** Keys and subkeys watched by others, counted once for each of them. */
  get size(): number {
    return this.#admission.size
  }

  serve(stream: FramedStream<WatchMessage>, peer: PeerId): SubscriberStream {
    const subscriber = new SubscriberStream({
      ...{ stream, peer, routing: this.#init.routing, numReplicas: this.#init.numReplicas },
      known: (key, subkey) =>
        subkey === undefined ? this.#known(key) : this.#knownPart(key, subkey),
      admit: (subscription) => this.#admission.admit(subscription),
      forwarders: (key) => this.#admission.forwarders(key),
      release: (subscription) => this.#admission.release(subscription),
      onClose: () => this.#open.delete(subscriber)
    })
    this.#open.add(subscriber)
    this.#alarm.within(SWEEP_MS)
    return subscriber
  }

  /** Looks at no leases any more. */
  stop(): void {
    this.#alarm.stop()
    this.#notices.stop()
  }

  /** Returns the bytes of a record that is held, or was learned for others. */
  #known(name: string): Uint8Array | undefined {
    const { forwarded, store } = this.#init
    const learned = forwarded.encoded(name)
    // Replicas that differ may hold more together than one message may carry.
    const isSendable = learned !== undefined && learned.length <= store.limits.maxRecordBytes
    return isSendable ? learned : store.encoded(keyOf(name))
  }

  /** Returns the bytes of the same of one subkey. */
  #knownPart(name: string, subkey: SubkeyId): Uint8Array | undefined {
    const { forwarded, store } = this.#init
    const part = project(forwarded.record(name) ?? store.get(keyOf(name)), [subkey])
    return isEmpty(part) ? undefined : encodeRecord(part)
  }

  #notify(name: string, write: DHTRecord, subscribers: readonly Subscription[]): void {
    const concerned = subscribers.filter(({ subkey }) => concerns(write, subkey))
    const frameOf = memoized((subkey) => {
      const record = this.#told(name, write, subkey)
      return changedFrame({ key: keyOf(name), subkey, record })
    })

    for (const subscription of concerned) {
      const { stream, subkey } = subscription
      stream.notify(subscription, () => frameOf(subkey))
    }

    if (concerned.length > 0) {
      this.#init.served?.countChanges(concerned.length)
    }
  }

  /** Encodes a write for watchers of the key, or of a subkey. */
  #told(name: string, write: DHTRecord, subkey: SubkeyId | undefined): Uint8Array {
    return subkey === undefined
      ? this.#smaller(name, write)
      : encodeRecord(project(write, [subkey]))
  }

  /** All that is held, where several writes in one go have come to be more than is left of them. */
  #smaller(name: string, write: DHTRecord): Uint8Array {
    const bytes = encodeRecord(write)
    const known = write.subkeys.size > 1 ? this.#known(name) : undefined
    return known !== undefined && known.length < bytes.length ? known : bytes
  }

  #sweep(): void {
    for (const subscriber of this.#open) {
      subscriber.sweep()
    }

    if (this.#open.size > 0) {
      this.#alarm.within(SWEEP_MS)
    }
  }
}

/** Whether a write can change the view: a plain one may erase any subkey (R4). */
function concerns({ plain, subkeys }: DHTRecord, subkey: SubkeyId | undefined): boolean {
  return subkey === undefined || plain !== undefined || subkeys.has(subkey)
}

/** Returns a function that makes the frame of each subkey once. */
function memoized(
  make: (subkey: SubkeyId | undefined) => Uint8Array | undefined
): (subkey: SubkeyId | undefined) => Uint8Array | undefined {
  const made = new Map<SubkeyId | undefined, Uint8Array | undefined>()

  return (subkey) => {
    const frame = made.has(subkey) ? made.get(subkey) : make(subkey)
    made.set(subkey, frame)
    return frame
  }
}
