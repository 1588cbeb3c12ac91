import {
  type KadDHT,
  type KadDHTComponents,
  type KadDHTInit,
  kadDHT,
  passthroughMapper
} from '@libp2p/kad-dht'
import { HIVEMIND_KAD_PROTOCOL } from '../constants.ts'
import {
  assertCalled,
  guardedComponents,
  guardedStreams,
  requestGuard,
  responseGuard
} from '../waggle-parts.ts'

/** Settings that differ from kad-dht's defaults: private networks, and few requests at a time. */
const DEFAULTS = {
  protocol: HIVEMIND_KAD_PROTOCOL,
  clientMode: false,
  peerInfoMapper: passthroughMapper,
  allowQueryWithZeroPeers: true,
  alpha: 3,
  disjointPaths: 1,
  initialQuerySelfInterval: 50,
  networkDialTimeout: { minTimeout: 3000, maxTimeout: 5000 },
  maxInboundStreams: 512,
  maxOutboundStreams: 512,
  logPrefix: 'waggle:hivemind-kad',
  datastorePrefix: '/hivemind-kad',
  metricsPrefix: 'waggle_hivemind_kad'
} satisfies KadDHTInit

/** Services for others: only finding peers. */
const SERVICES = { namespaces: new Set<string>(), areProvidersKept: false }

/**
 * kad-dht as Hivemind's nodes use it: only to find peers. It stores nothing for others, and its messages pass
 * through the node's door as all others do (N13).
 */
export function hivemindKadDHT(init: KadDHTInit = {}): (components: KadDHTComponents) => KadDHT {
  assertCalled('hivemindKadDHT', init)
  return (components) =>
    kadDHT({ ...DEFAULTS, ...init })(
      guardedComponents(components, requestGuard(SERVICES), {
        connectionManager: guardedStreams(components, responseGuard()),
        datastore: DISCARDING_DATASTORE
      })
    )
}

function nothing(): never {
  throw Object.assign(new Error('nothing is stored here'), { name: 'NotFoundError' })
}

async function* none(): AsyncGenerator<never, undefined> {}

/** A datastore that accepts everything and keeps nothing. */
const DISCARDING_DATASTORE: KadDHTComponents['datastore'] = {
  put: async (key) => key,
  putMany: async function* (pairs) {
    for await (const { key } of pairs) {
      yield key
    }
  },
  get: async () => nothing(),
  getMany: none,
  has: async () => false,
  delete: async () => {},
  deleteMany: async function* (keys) {
    yield* keys
  },
  query: none,
  queryKeys: none,
  batch: () => ({ put: () => {}, delete: () => {}, commit: async () => {} })
}
