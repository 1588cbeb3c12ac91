import type { KadDHT, KadDHTComponents, KadDHTInit, ValidateFn } from '@libp2p/kad-dht'
import { isEmpty, ValidationError } from '@waggle/record'
import { DEFAULT_LIMITS, NAMESPACE, networkOf, selectorFor } from '@waggle/record/replica'
import { DEFAULT_KAD_PROTOCOL, DEFAULT_REQUEST_TIMEOUT_MS } from '../constants.ts'
import { doorOf } from '../door/door.ts'
import { guardedComponents, guardedStreams } from '../door/guarded-components.ts'
import { limitsOf } from '../node-limits.ts'
import { assertCalled, assertOptions } from '../option-checks.ts'
import { pointOfKey, pointOfPeer, sharedBits } from '../peers/key-space.ts'
import { RecordStore } from '../store/record-store.ts'
import { BY_KAD_DHT } from '../store/stored-record.ts'
import { boundedDatastore } from './bounded-datastore.ts'
import { distinguishUnreachable } from './content-routing.ts'
import { internalsOf } from './internals.ts'
import { requestGuard, responseGuard } from './kad-guard.ts'
import { KAD_OPTIONS, type WaggleKadDHTInit } from './kad-options.ts'
import { assertLibp2p } from './libp2p-version.ts'
import { mergingDatastore } from './merging-datastore.ts'
import { ModeSwitch } from './mode-switch.ts'
import { assertNoParts, registerParts } from './node-parts.ts'
import { keepOwnTimeouts } from './own-timeouts.ts'
import { paceWalks } from './paced-walks.ts'
import { StreamProgress } from './stream-progress.ts'

/**
 * Options that differ from kad-dht's defaults, which suit a public network of very many peers: a
 * server also on private addresses, few requests at a time on one path, and no waiting for peers
 * that a lone node does not have. kad-dht's adaptive timeout must not undercut the request timeout.
 * The caller's options take precedence.
 */
const KAD_DEFAULTS = {
  protocol: DEFAULT_KAD_PROTOCOL,
  clientMode: false,
  peerInfoMapper: (peer) => peer,
  alpha: 3,
  disjointPaths: 1,
  allowQueryWithZeroPeers: true,
  initialQuerySelfInterval: 50,
  networkDialTimeout: { minTimeout: DEFAULT_REQUEST_TIMEOUT_MS, maxTimeout: 5000 },
  maxInboundStreams: 512,
  maxOutboundStreams: 512
} satisfies KadDHTInit

/** Creates kad-dht, or a part of it. */
export type KadDHTFactory = (init: KadDHTInit) => (components: KadDHTComponents) => KadDHT

/** kad-dht's own default, which it does not export. */
const DATASTORE_PREFIX = '/dht'

/** Makes kad-dht of any implementation that serves or asks for merging records. */
export function mergingKadDHT(
  implementation: KadDHTFactory,
  init: WaggleKadDHTInit
): (components: KadDHTComponents) => KadDHT {
  assertCalled('waggleKadDHT', init)
  assertOptions('waggleKadDHT()', init, KAD_OPTIONS)
  const { records, keepProviders = false, ...kadInit } = init
  const services = {
    namespaces: new Set([NAMESPACE, ...Object.keys(init.validators ?? {})]),
    areProvidersKept: keepProviders
  }

  return (components) => {
    assertLibp2p(components)
    assertNoParts(components)
    const store = new RecordStore({
      nearnessOf: (key) => sharedBits(pointOfKey(key), pointOfPeer(components.peerId)),
      ...records,
      network: networkOf(kadInit.protocol ?? DEFAULT_KAD_PROTOCOL),
      shares: doorOf(components).shares,
      limits: limitsOf(records?.limits ?? {}, DEFAULT_LIMITS)
    })
    const prefix = kadInit.datastorePrefix ?? DATASTORE_PREFIX
    const datastore = mergingDatastore(
      boundedDatastore(components.datastore, prefix),
      store,
      prefix
    )
    const progress = new StreamProgress()
    const connectionManager = guardedStreams(components, responseGuard(progress))
    const kad = implementation({
      ...KAD_DEFAULTS,
      ...given(kadInit),
      ...clientModeOf(kadInit),
      validators: { [NAMESPACE]: validatorFor(store), ...kadInit.validators },
      selectors: { [NAMESPACE]: selectorFor(store.limits), ...kadInit.selectors }
    })(guardedComponents(components, requestGuard(services), { datastore, connectionManager }))

    const { protocol } = kadInit
    const internals = internalsOf(kad, { protocol, logger: components.logger })
    paceWalks(kad)
    keepOwnTimeouts(internals)
    distinguishUnreachable(internals, components.peerId)
    registerParts(components, { kad: internals, mode: new ModeSwitch(kad), progress, store })
    return kad
  }
}

/**
 * Returns the mode; undefined if it was set to undefined: kad-dht then switches by itself, as it does without
 * Waggle.
 */
function clientModeOf(init: WaggleKadDHTInit): { clientMode?: boolean | undefined } {
  return Object.hasOwn(init, 'clientMode') ? { clientMode: init.clientMode } : {}
}

/** Removes options that are undefined: they count as left out and must not undo a default. */
function given<T extends object>(init: T | undefined): Partial<T> {
  const entries = Object.entries(init ?? {}).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as Partial<T>
}

/** Creates a kad-dht validator that runs all checks of the store. */
function validatorFor({ checks }: RecordStore): ValidateFn {
  return async (key, value) => {
    const { record, refusals } = await checks.receive(key, value, BY_KAD_DHT)

    if (isEmpty(record)) {
      throw new ValidationError(`refused by ${refusals.join(', ')}`)
    }
  }
}
