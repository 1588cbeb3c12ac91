import type { AbortOptions, ComponentLogger, PeerId } from '@libp2p/interface'
import type { KadDHT, MessageType, QueryEvent } from '@libp2p/kad-dht'
import { DEFAULT_KAD_PROTOCOL } from '../constants.ts'
import { overriding } from '../door/overriding.ts'
import { fallbackWarning } from '../warn.ts'

/**
 * The parts of kad-dht that Waggle uses beyond its documented interface: requests to one peer, requests from
 * others, and the parts that dial peers on their own (N10c). The upstream test fails when any of them changes.
 */
export interface KadInternals extends KadDHT {
  readonly protocol: string

  readonly network: {
    sendRequest(
      to: PeerId,
      message: { type: MessageType; key: Uint8Array; record?: Uint8Array },
      options: AbortOptions & { path: typeof NO_PATH }
    ): AsyncIterable<QueryEvent>

    /** Limits the time of each request. */
    readonly timeout?: {
      getTimeoutSignal(options: AbortOptions & { readonly path?: object }): AbortSignal
    }
  }

  /** Handles others' requests. Undefined in a kad-dht of another structure. */
  readonly rpc:
    | { handleMessage(peer: PeerId, message: { readonly type: MessageType }): Promise<unknown> }
    | undefined

  /** Pings each peer that it is given, and tags those that respond, so that libp2p redials them. */
  readonly routingTable: KadTable

  /** Searches for the node itself at intervals. */
  readonly querySelf: {
    start(): unknown
    readonly initialQuerySelfHasRun?: { resolve(): void } | undefined
  }

  /** Searches for peers of each distance at intervals. */
  readonly routingTableRefresh: { afterStart(): unknown }
}

export interface KadTable {
  readonly size: number
  readonly kBucketSize: number
  populateFromDatastoreOnStart: boolean
  queueRoutingTableUpdate(peer: PeerId): void
  closestPeers(target: Uint8Array, options?: ClosestPeersOptions): PeerId[]
  find(peer: PeerId): Promise<PeerId | undefined>
  readonly closestPeerTagger: { start(): unknown }
}

export interface ClosestPeersOptions {
  readonly count?: number
  readonly exclude?: readonly PeerId[]
}

/** Event fields for a query's path. Waggle's requests belong to none. */
export const NO_PATH = { index: -1, queued: 0, running: 0, total: 0 }

export interface InternalsOptions {
  readonly logger?: ComponentLogger | undefined

  /** The protocol that kad-dht was created with. */
  readonly protocol?: string | undefined
}

/**
 * Returns kad-dht with its actual type. Parts of another shape are replaced by inert ones, with one warning: the
 * node works without them.
 */
export function internalsOf(kad: KadDHT, options: InternalsOptions = {}): KadInternals {
  const { protocol = DEFAULT_KAD_PROTOCOL, logger } = options
  const parts = kad as Partial<KadInternals>
  const missing = (Object.keys(EXPECTED) as Part[]).filter((part) => !EXPECTED[part].isIn(parts))

  if (missing.length === 0) {
    return kad as KadInternals
  }

  const losses = missing.map((part) => EXPECTED[part].loss).join('; ')
  fallbackWarning('@libp2p/kad-dht', `${losses}. Install version 16.4`, logger)()
  const substitutes = missing.map((part) => [
    part,
    part === 'protocol' ? protocol : SUBSTITUTES[part]
  ])
  return overriding(kad as KadInternals, Object.fromEntries(substitutes))
}

type Part = 'protocol' | 'network' | 'rpc' | 'routingTable' | 'querySelf' | 'routingTableRefresh'

/** The expected shape of each part, and the loss without it. */
const EXPECTED: Readonly<
  Record<Part, { isIn(kad: Partial<KadInternals>): boolean; readonly loss: string }>
> = {
  protocol: {
    isIn: ({ protocol }) => typeof protocol === 'string',
    loss: 'its protocol is taken to be the one of the options'
  },
  network: {
    isIn: ({ network }) => typeof network?.sendRequest === 'function',
    loss: 'plain kad-dht peers are not asked'
  },
  rpc: {
    isIn: ({ rpc }) => typeof rpc?.handleMessage === 'function',
    loss: 'allowPeer can not be enforced'
  },
  routingTable: {
    isIn: ({ routingTable }) =>
      typeof routingTable?.closestPeers === 'function' &&
      typeof routingTable.find === 'function' &&
      typeof routingTable.queueRoutingTableUpdate === 'function' &&
      typeof routingTable.populateFromDatastoreOnStart === 'boolean' &&
      typeof routingTable.closestPeerTagger?.start === 'function' &&
      typeof routingTable.size === 'number',
    loss: 'it dials each peer that it hears of, so the network can not outgrow the connections of one node'
  },
  querySelf: {
    isIn: ({ querySelf }) => typeof querySelf?.start === 'function',
    loss: 'it searches for this node on its own'
  },
  routingTableRefresh: {
    isIn: ({ routingTableRefresh }) => typeof routingTableRefresh?.afterStart === 'function',
    loss: 'it searches for other peers on its own'
  }
}

const SUBSTITUTES: Readonly<Record<Exclude<Part, 'protocol'>, unknown>> = {
  network: {
    // biome-ignore lint/correctness/useYield: no peer answers
    async *sendRequest() {
      throw new Error('plain kad-dht peers can not be asked with this version of @libp2p/kad-dht')
    }
  },
  rpc: undefined,
  routingTable: { closestPeerTagger: {} },
  querySelf: {},
  routingTableRefresh: {}
}
