import type { Limits } from '@waggle/record'
import { DEFAULT_LIMITS } from '@waggle/record/replica'
import { type ConnectionSettings, connectionSettings } from '../connections/watermarks.ts'
import {
  DEFAULT_BOOTSTRAP_TIMEOUT_MS,
  DEFAULT_CALL_TIMEOUT_MS,
  DEFAULT_DURABILITY,
  DEFAULT_KAD_PROTOCOL,
  DEFAULT_LISTEN_ON,
  DEFAULT_NUM_REPLICAS,
  DEFAULT_PRESENCE_TTL,
  DEFAULT_REQUEST_TIMEOUT_MS
} from '../constants.ts'
import { DEFAULT_NODE_LIMITS, type NodeLimits } from '../node-limits.ts'
import type { Durability } from '../persistence/disk.ts'
import { type CachePolicy, cachePolicy } from '../reading/cache-policy.ts'

/** Defaults of options, by the names of the options. */
export interface Defaults {
  readonly listenOn: string
  readonly numReplicas: number

  /** kad-dht's protocol in networks made by `DHT.create`. */
  readonly protocol: string
  readonly durability: Durability
  readonly bootstrapTimeoutMs: number
  readonly requestTimeoutMs: number

  /** Milliseconds that one call may take. */
  readonly timeoutMs: number

  /** Limits of records and of the node. */
  readonly limits: Limits & NodeLimits
  readonly cache: CachePolicy
  readonly connections: ConnectionSettings

  /** Of a presence: seconds after which a member that crashed is gone. */
  readonly presence: { readonly ttl: number }
}

/** All defaults of the package. */
export const DEFAULTS: Defaults = Object.freeze({
  listenOn: DEFAULT_LISTEN_ON,
  numReplicas: DEFAULT_NUM_REPLICAS,
  protocol: DEFAULT_KAD_PROTOCOL,
  durability: DEFAULT_DURABILITY,
  bootstrapTimeoutMs: DEFAULT_BOOTSTRAP_TIMEOUT_MS,
  requestTimeoutMs: DEFAULT_REQUEST_TIMEOUT_MS,
  timeoutMs: DEFAULT_CALL_TIMEOUT_MS,
  limits: Object.freeze({ ...DEFAULT_LIMITS, ...DEFAULT_NODE_LIMITS }),
  cache: Object.freeze(cachePolicy({})),
  connections: Object.freeze(connectionSettings({})),
  presence: Object.freeze({ ttl: DEFAULT_PRESENCE_TTL })
})
