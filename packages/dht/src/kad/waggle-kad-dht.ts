import {
  type KadDHT,
  type KadDHTComponents,
  type KadDHTInit,
  kadDHT,
  passthroughMapper,
  type ValidateFn
} from '@libp2p/kad-dht'
import { DEFAULT_LIMITS, isEmpty, type Limits, ValidationError } from '@waggle/record'
import { NAMESPACE, selectorFor } from '@waggle/record/replica'
import { DEFAULT_KAD_PROTOCOL, DEFAULT_REQUEST_TIMEOUT_MS } from '../constants.ts'
import {
  assertBoolean,
  assertCount,
  assertFunction,
  assertFunctions,
  assertNothing,
  assertOptions,
  assertRecordLimits,
  assertText,
  assertValidators,
  type Check
} from '../option-checks.ts'
import { pointOfKey, pointOfPeer, sharedBits } from '../peers/key-space.ts'
import { RecordStore, type RecordStoreOptions } from '../store/record-store.ts'
import { internalsOf } from './internals.ts'
import { mergingDatastore } from './merging-datastore.ts'
import { registerParts } from './node-parts.ts'

/** kad-dht's own options, and how much is held for other peers. */
export interface WaggleKadDHTInit extends KadDHTInit {
  /** How much is held for other peers, and how large single records may be. */
  records?: RecordsInit | undefined
}

/** Options of the store; limits that are left out keep their defaults. */
export interface RecordsInit extends Omit<RecordStoreOptions, 'limits'> {
  limits?: Partial<Limits> | undefined
}

const RECORD_CHECKS: Readonly<Record<keyof RecordsInit, Check>> = {
  limits: assertRecordLimits,
  maxRecords: assertCount,
  maxBytes: assertCount,
  maxRecordsPerPeer: assertCount,
  maxBytesPerPeer: assertCount,
  nearnessOf: assertFunction,
  clock: assertFunction,
  validators: assertValidators
}

/** A misspelled `protocol` would be another network. What else kad-dht has, it looks after itself. */
const CHECKS: Readonly<Record<keyof WaggleKadDHTInit, Check>> = {
  records: (value, option) => assertOptions(option, value, RECORD_CHECKS),
  protocol: assertText,
  clientMode: assertBoolean,
  validators: assertFunctions,
  selectors: assertFunctions,
  peerInfoMapper: assertFunction,
  kBucketSize: assertNothing,
  kBucketSplitThreshold: assertNothing,
  alpha: assertNothing,
  disjointPaths: assertNothing,
  routingTableUpdateQueueConcurrency: assertNothing,
  routingTableUpdateMaxQueueSize: assertNothing,
  prefixLength: assertNothing,
  querySelfInterval: assertNothing,
  initialQuerySelfInterval: assertNothing,
  allowQueryWithZeroPeers: assertNothing,
  logPrefix: assertNothing,
  datastorePrefix: assertNothing,
  metricsPrefix: assertNothing,
  pingOldContactTimeout: assertNothing,
  pingOldContactConcurrency: assertNothing,
  pingOldContactMaxQueueSize: assertNothing,
  pingNewContactTimeout: assertNothing,
  pingNewContactConcurrency: assertNothing,
  pingNewContactMaxQueueSize: assertNothing,
  incomingMessageTimeout: assertNothing,
  maxInboundStreams: assertNothing,
  maxOutboundStreams: assertNothing,
  networkDialTimeout: assertNothing,
  onPeerConnectTimeout: assertNothing,
  providers: assertNothing,
  reprovide: assertNothing
}

/**
 * What differs from kad-dht's own defaults, which suit a public network of very many peers. A
 * server on private addresses too; a few requests at a time on one path; no waiting for peers that
 * a lone node does not have. kad-dht's own timeout adapts and must not cut ours short. Anything in
 * `init` takes precedence.
 */
const KAD_DEFAULTS = {
  protocol: DEFAULT_KAD_PROTOCOL,
  clientMode: false,
  peerInfoMapper: passthroughMapper,
  alpha: 3,
  disjointPaths: 1,
  allowQueryWithZeroPeers: true,
  initialQuerySelfInterval: 50,
  networkDialTimeout: { minTimeout: DEFAULT_REQUEST_TIMEOUT_MS, maxTimeout: 5000 },
  maxInboundStreams: 512,
  maxOutboundStreams: 512
} satisfies KadDHTInit

/** kad-dht's own default, which it does not export. */
const DATASTORE_PREFIX = '/dht'

/**
 * kad-dht as a libp2p service whose replicas merge: every write of a Waggle record is joined with
 * what is held, under the rules R1–R16, whoever sends it and by whatever path. Takes kad-dht's own
 * options; `protocol` decides which network the node belongs to.
 */
export function waggleKadDHT(
  init: WaggleKadDHTInit = {}
): (components: KadDHTComponents) => KadDHT {
  assertOptions('waggleKadDHT()', init, CHECKS)
  const { records, ...kadInit } = init

  return (components) => {
    const store = new RecordStore({
      nearnessOf: (key) => sharedBits(pointOfKey(key), pointOfPeer(components.peerId)),
      ...records,
      limits: { ...DEFAULT_LIMITS, ...given(records?.limits) }
    })
    const datastore = mergingDatastore(
      components.datastore,
      store,
      kadInit.datastorePrefix ?? DATASTORE_PREFIX
    )
    const kad = kadDHT({
      ...KAD_DEFAULTS,
      ...given(kadInit),
      validators: { [NAMESPACE]: validatorFor(store), ...kadInit.validators },
      selectors: { [NAMESPACE]: selectorFor(store.limits), ...kadInit.selectors }
    })(withDatastore(components, datastore))

    registerParts(components, { kad: internalsOf(kad), store })
    return kad
  }
}

/** An option that is undefined was left out: it must not undo a default. */
function given<T extends object>(init: T | undefined): Partial<T> {
  const entries = Object.entries(init ?? {}).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as Partial<T>
}

/** `recordValidator`, by all that the store checks. */
function validatorFor({ checks }: RecordStore): ValidateFn {
  return async (key, value) => {
    const { record, refusals } = await checks.received(key, value)

    if (isEmpty(record)) {
      throw new ValidationError(`refused by ${refusals.join(', ')}`)
    }
  }
}

/** libp2p's components are a proxy themselves, which can not be copied. */
function withDatastore(
  components: KadDHTComponents,
  datastore: KadDHTComponents['datastore']
): KadDHTComponents {
  return new Proxy(components, {
    get: (target, name) => (name === 'datastore' ? datastore : Reflect.get(target, name))
  })
}
