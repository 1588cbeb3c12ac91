import type { DHTTime, Limits, RecordValidator } from '@waggle/record'
import type { CpuShares } from '../admission/cpu-shares.ts'
import { DEFAULT_NODE_LIMITS } from '../node-limits.ts'
import type { StorageLimits } from './quotas.ts'

/** Options of a record store. */
export interface RecordStoreOptions {
  /** Limits of single records. */
  limits?: Limits | undefined

  /**
   * The name of the records' network. Signatures of other networks are not valid.
   *
   * @default DEFAULT_NETWORK
   */
  network?: string | undefined

  /**
   * Records stored. Beyond it, the store evicts records: of the peer that has stored most, those
   * farthest from this node, and of these the first to expire.
   *
   * @default DEFAULTS.limits.maxStoredRecords
   */
  maxRecords?: number | undefined

  /**
   * Bytes of encoded records stored. Beyond it, the store evicts records likewise.
   *
   * @default DEFAULTS.limits.maxStoredBytes
   */
  maxBytes?: number | undefined

  /**
   * Records that one peer may have stored. Beyond it, the store evicts records of that peer.
   *
   * @default maxRecords
   */
  maxRecordsPerPeer?: number | undefined

  /**
   * Bytes that one peer may have stored.
   *
   * @default maxBytes
   */
  maxBytesPerPeer?: number | undefined

  /** Returns a key's proximity to this node, in shared leading bits. Left out: all are equally near. */
  nearnessOf?: ((key: Uint8Array) => number) | undefined

  /** @default getDHTTime */
  clock?: (() => DHTTime) | undefined

  /**
   * The application's rules for what may be stored. This node applies them as a replica and a reader.
   *
   * @default []
   */
  validators?: readonly RecordValidator[] | undefined

  /** Each peer's use of this node's time. @default the store's own */
  shares?: CpuShares | undefined
}

/** Returns the bounds of a store. */
export function storageLimitsOf(options: RecordStoreOptions): StorageLimits {
  const { maxStoredRecords, maxStoredBytes } = DEFAULT_NODE_LIMITS
  const { maxRecords = maxStoredRecords, maxBytes = maxStoredBytes } = options
  return {
    maxRecords,
    maxBytes,
    maxRecordsPerPeer: options.maxRecordsPerPeer ?? maxRecords,
    maxBytesPerPeer: options.maxBytesPerPeer ?? maxBytes
  }
}
