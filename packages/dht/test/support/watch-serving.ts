import type { PeerId, PeerInfo } from '@libp2p/interface'
import { type DHTRecord, EMPTY_RECORD, recordKey } from '@waggle/record'
import { vi } from 'vitest'
import type { Rates } from '../../src/admission/rate-limits.ts'
import { Scheduler } from '../../src/admission/scheduler.ts'
import { RecordStore } from '../../src/store/record-store.ts'
import type { RecordStoreOptions } from '../../src/store/record-store-options.ts'
import { ForwardedKeys, type ForwardedKeysInit } from '../../src/watch/forwarded-keys.ts'
import {
  WATCH,
  type WatchMessage,
  type WatchRequest,
  type WatchRole
} from '../../src/watch/watch-messages.ts'
import { WatchServer } from '../../src/watch/watch-server.ts'
import { ProtocolServer } from '../../src/wire/protocol-server.ts'
import { NOW } from './exchange-serving.ts'
import type { StreamSource } from './exchange-streams.ts'
import { Talker } from './exchange-talker.ts'
import { PATIENCE } from './libp2p-node.ts'
import { manualClock } from './manual-clock.ts'

export type WatchTalker = Talker<WatchMessage>

export interface WatchServingInit extends RecordStoreOptions {
  /** The peers that the server knows, nearest first, for every key. */
  readonly known?: readonly PeerInfo[]

  /** Called when the server lists them. */
  readonly onLook?: () => void

  /** Peers notified of one key. */
  readonly maxWatchersPerKey?: number

  /** Watches a key for others. */
  readonly forward?: ForwardedKeysInit['begin']

  /** Limits of the keys requested. */
  readonly rates?: Rates

  /** Keys watched for all peers together. */
  readonly maxWatches?: number

  /** Maximum number of its connections. */
  readonly maxConnections?: number
}

/** A replica with watchers, and its store. */
export class WatchServing {
  readonly store: RecordStore
  readonly scheduler: Scheduler
  readonly server: WatchServer
  readonly #source: StreamSource
  readonly #protocols: ProtocolServer

  constructor(
    source: StreamSource,
    {
      known = [],
      maxWatchersPerKey = 128,
      onLook = () => {},
      forward = () => ({ record: EMPTY_RECORD, isTold: true, isReachable: true, end() {} }),
      rates,
      maxWatches,
      maxConnections,
      ...options
    }: WatchServingInit = {}
  ) {
    this.#source = source
    this.store = new RecordStore({ clock: manualClock(NOW), ...options })
    this.scheduler = new Scheduler(rates)
    this.#protocols = new ProtocolServer({ scheduler: this.scheduler })
    this.server = new WatchServer({
      ...{ store: this.store, numReplicas: 5, maxWatchersPerKey },
      ...(maxWatches !== undefined && { maxWatches }),
      ...(maxConnections !== undefined && { maxConnections: () => maxConnections }),
      forwarded: new ForwardedKeys({ max: 256, begin: forward }),
      routing: {
        nearest(_, count) {
          onLook()
          return known.slice(0, count)
        }
      }
    })
  }

  /** Connects a peer that watches. */
  async talker(asker: PeerId = this.#source.asker): Promise<WatchTalker> {
    const [mine, theirs] = await this.#source.open()
    this.#protocols.serve(this.server, theirs, asker)
    return new Talker<WatchMessage>(mine, WATCH)
  }

  write(key: string, record: DHTRecord): void {
    this.store.apply(recordKey(key), record)
  }

  /** Resolves when all peers together watch this many keys. */
  async watched(count: number): Promise<void> {
    await vi.waitUntil(() => this.server.size === count, PATIENCE)
  }
}

/** Makes a WATCH in another role. */
export function watchAs(role: WatchRole, ...keys: string[]): WatchRequest {
  return { ...watch(...keys), role }
}

/** Makes a WATCH of keys of which the sender knows nothing. */
export function watch(...keys: string[]): WatchRequest {
  const digest = new Uint8Array()
  return {
    name: 'watch',
    closerCount: 5,
    role: 'prompt',
    keys: keys.map((key) => ({ key: recordKey(key), digest }))
  }
}

export function unwatch(...keys: string[]): WatchMessage {
  return { name: 'unwatch', keys: keys.map((key) => ({ key: recordKey(key) })) }
}
