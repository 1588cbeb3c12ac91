import { assertConnectionOptions, type ConnectionOptions } from '../connections/watermarks.ts'
import { DEFAULT_NUM_REPLICAS, DEFAULT_REQUEST_TIMEOUT_MS, SEARCH_WIDTH } from '../constants.ts'
import type { NodeLimits } from '../node-limits.ts'
import {
  assertBoolean,
  assertFunction,
  assertInteger,
  assertMethod,
  assertPositive,
  assertServiceLimits,
  type OptionTable
} from '../option-checks.ts'
import type { Pages } from '../pages/pages.ts'
import type { AllowPeer } from '../peers/access.ts'
import { PERSISTENCE_OPTIONS, type PersistenceOptions } from '../persistence/persistence-options.ts'
import { assertCacheOptions, type CacheOptions } from '../reading/cache-policy.ts'

/** Options of `waggle()`, the Waggle service for an application's own libp2p node. */
export interface WaggleInit extends PersistenceOptions {
  /**
   * Peers that store a record, from 1 to 20; the same in the whole network.
   *
   * @default DEFAULTS.numReplicas
   */
  numReplicas?: number | undefined

  /**
   * Milliseconds for which a peer may make no progress with what is requested of it.
   *
   * @default DEFAULTS.requestTimeoutMs
   */
  requestTimeoutMs?: number | undefined

  /**
   * Cache options, or `false` for no cache.
   *
   * @default on
   * @see [caching](../../docs/network.md#caching)
   */
  cache?: false | CacheOptions | undefined

  /**
   * Resource limits of this node. The store has its own: see `waggleKadDHT({ records })`.
   *
   * @default DEFAULTS.limits
   */
  limits?: Partial<Omit<NodeLimits, `maxStored${string}`>> | undefined

  /**
   * Decides which peers may connect, and which may store here: `(peerId, purpose) => boolean`, or a
   * promise of it. In an application's own node, connections are up to libp2p's `connectionGater`,
   * finding peers by kad-dht's messages is up to kad-dht, and any peer may ask for the time.
   *
   * @default every peer
   * @see [access control](../../docs/running.md#access-control)
   */
  allowPeer?: AllowPeer | undefined

  /**
   * Connections to keep: `{ low, high, graceMs }`. Beyond `high` connected servers, those least
   * recently used are disconnected until `low` are left, but no connection younger than `graceMs`.
   *
   * @default `{ low: 64, high: 96, graceMs: 20_000 }`
   * @see [connections](../../docs/network.md#connections)
   */
  connections?: ConnectionOptions | undefined

  /**
   * Whether this node looks up, stores and watches on behalf of clients that can dial only a part of the
   * servers. A client does not.
   *
   * @default true
   * @see [gateways](../../docs/network.md#gateways)
   */
  serveGateway?: boolean | undefined

  /**
   * Connects this page with other pages, which go on together while no server is left: `webRTC()` of
   * `@waggle/dht/webrtc`. In an application's own node, add its `transport`, and listen on `/p2p-circuit` and `/webrtc`.
   *
   * @default a page talks to servers only
   * @see [pages](../../docs/browsers.md#pages-that-talk-to-each-other)
   */
  pages?: Pages | undefined
}

/** The options of the service, which `DHT.create` passes on. */
export const SERVICE_OPTIONS: OptionTable<WaggleInit> = {
  numReplicas: { assert: assertInteger(1, SEARCH_WIDTH), default: DEFAULT_NUM_REPLICAS },
  requestTimeoutMs: { assert: assertPositive, default: DEFAULT_REQUEST_TIMEOUT_MS },
  cache: { assert: assertCacheOptions, default: {} },
  limits: { assert: assertServiceLimits, default: {} },
  allowPeer: { assert: assertFunction },
  connections: { assert: assertConnectionOptions, default: {} },
  serveGateway: { assert: assertBoolean, default: true },
  pages: { assert: assertMethod('join', 'webRTC() of @waggle/dht/webrtc') },
  ...PERSISTENCE_OPTIONS
}
