import type { KadDHTInit } from '@libp2p/kad-dht'
import type { Limits } from '@waggle/record'
import {
  assertBoolean,
  assertCount,
  assertFunction,
  assertFunctions,
  assertOptions,
  assertRecordLimits,
  assertText,
  assertValidators,
  type Option,
  type OptionTable
} from '../option-checks.ts'
import type { RecordStoreOptions } from '../store/record-store-options.ts'

/** Options of `waggleKadDHT()`: those of kad-dht, and of the record store. */
export interface WaggleKadDHTInit extends Omit<KadDHTInit, 'clientMode'> {
  /**
   * Whether the node is a client. `undefined`, if given, lets kad-dht decide at run time, as it does by default:
   * a node with a public address is a server.
   *
   * @default false
   */
  clientMode?: boolean | undefined

  /** Options of the record store, which holds records for other peers. */
  records?: RecordsInit | undefined

  /**
   * Whether this node stores and returns provider records (`contentRouting.provide`): for a day, 10,000
   * at most.
   *
   * @default false
   */
  keepProviders?: boolean | undefined
}

/** Options of the record store. Limits that are left out keep their defaults. */
export interface RecordsInit extends Omit<RecordStoreOptions, 'limits' | 'network' | 'shares'> {
  limits?: Partial<Limits> | undefined
}

const RECORDS_OPTIONS: OptionTable<RecordsInit> = {
  limits: { assert: assertRecordLimits },
  maxRecords: { assert: assertCount },
  maxBytes: { assert: assertCount },
  maxRecordsPerPeer: { assert: assertCount },
  maxBytesPerPeer: { assert: assertCount },
  nearnessOf: { assert: assertFunction },
  clock: { assert: assertFunction },
  validators: { assert: assertValidators }
}

/** An option that is passed to kad-dht unchecked. */
const PASSED_ON: Option<never> = {}

/**
 * The options. Checked, because a node with a misspelled `protocol` would be in another network, and kad-dht
 * ignores unknown options.
 */
export const KAD_OPTIONS: OptionTable<WaggleKadDHTInit> = {
  records: { assert: (value) => assertOptions('records', value, RECORDS_OPTIONS) },
  keepProviders: { assert: assertBoolean },
  protocol: { assert: assertText },
  clientMode: { assert: assertBoolean },
  validators: { assert: assertFunctions },
  selectors: { assert: assertFunctions },
  peerInfoMapper: { assert: assertFunction },
  kBucketSize: PASSED_ON,
  kBucketSplitThreshold: PASSED_ON,
  alpha: PASSED_ON,
  disjointPaths: PASSED_ON,
  routingTableUpdateQueueConcurrency: PASSED_ON,
  routingTableUpdateMaxQueueSize: PASSED_ON,
  prefixLength: PASSED_ON,
  querySelfInterval: PASSED_ON,
  initialQuerySelfInterval: PASSED_ON,
  allowQueryWithZeroPeers: PASSED_ON,
  logPrefix: PASSED_ON,
  datastorePrefix: PASSED_ON,
  metricsPrefix: PASSED_ON,
  pingOldContactTimeout: PASSED_ON,
  pingOldContactConcurrency: PASSED_ON,
  pingOldContactMaxQueueSize: PASSED_ON,
  pingNewContactTimeout: PASSED_ON,
  pingNewContactConcurrency: PASSED_ON,
  pingNewContactMaxQueueSize: PASSED_ON,
  incomingMessageTimeout: PASSED_ON,
  maxInboundStreams: PASSED_ON,
  maxOutboundStreams: PASSED_ON,
  networkDialTimeout: PASSED_ON,
  onPeerConnectTimeout: PASSED_ON,
  providers: PASSED_ON,
  reprovide: PASSED_ON
}
