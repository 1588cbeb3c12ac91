import {
  type ComponentLogger,
  type Logger,
  type PeerId,
  type PeerInfo,
  serviceCapabilities
} from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import type { KadDHT, KadDHTInit, QueryEvent, SelectFn, ValidateFn } from '@libp2p/kad-dht'
import { Libp2pRecord } from '@libp2p/record'
import { lpStream } from '@libp2p/utils'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { DEFAULT_KAD_PROTOCOL, DEFAULT_NUM_REPLICAS } from '../constants.ts'
import { toError } from '../errors.ts'
import { peerIdIn } from '../peers/peer-id-bytes.ts'
import { bytesOf, protobufFields } from '../wire/protobuf.ts'
import type { KadInternals } from './internals.ts'
import { type KadMessage, readKadMessage, writeKadMessage } from './kad-messages.ts'
import { PEER_RESPONSE_EVENT, QUERY_ERROR_EVENT } from './message-types.ts'

interface Components {
  readonly connectionManager: ConnectionManager
  readonly logger: ComponentLogger
}

type Network = KadInternals['network']
type Message = Parameters<Network['sendRequest']>[1]
type RequestOptions = Parameters<Network['sendRequest']>[2]
type Events = AsyncGenerator<QueryEvent>

/** Types of messages, by their numbers (libp2p specs, kad-dht, "RPC messages"). */
const TYPES: readonly string[] = [
  ...['PUT_VALUE', 'GET_VALUE', 'ADD_PROVIDER'],
  ...['GET_PROVIDERS', 'FIND_NODE', 'PING']
]

const NOTHING_ELSE = { closer: [], providers: [], clusterLevel: undefined }

/** The fields of a peer in kad-dht's messages. */
const PEER = { id: 1, address: 2 } as const

/**
 * Creates the part of kad-dht that a client needs: requests to plain kad-dht peers. All of kad-dht is three times as
 * large as the rest of what a page loads for it.
 */
export function kadClient(init: KadDHTInit = {}): (components: Components) => KadDHT {
  return (components) => new KadClient(components, init)
}

class KadClient implements KadDHT {
  readonly k: number = DEFAULT_NUM_REPLICAS
  readonly a: number = 1
  readonly d: number = 1
  readonly protocol: string
  readonly validators: Record<string, ValidateFn>
  readonly selectors: Record<string, SelectFn>
  readonly network: Network
  readonly [serviceCapabilities]: string[] = ['@libp2p/kad-dht']

  /** The parts of kad-dht that a client of Waggle has no use for, or replaces. */
  readonly rpc: KadInternals['rpc'] = { handleMessage: async () => undefined }
  readonly querySelf: KadInternals['querySelf'] = { start: doNothing }
  readonly routingTableRefresh: KadInternals['routingTableRefresh'] = { afterStart: doNothing }
  readonly routingTable: KadInternals['routingTable'] = {
    size: 0,
    kBucketSize: DEFAULT_NUM_REPLICAS,
    populateFromDatastoreOnStart: false,
    queueRoutingTableUpdate: doNothing,
    closestPeers: () => [],
    find: async () => undefined,
    closestPeerTagger: { start: doNothing }
  }

  constructor({ connectionManager, logger }: Components, init: KadDHTInit) {
    this.protocol = init.protocol ?? DEFAULT_KAD_PROTOCOL
    this.validators = init.validators ?? {}
    this.selectors = init.selectors ?? {}
    const log = logger.forComponent('waggle:kad-client')
    this.network = requestsBy(connectionManager, this.protocol, log)
  }

  getMode(): 'client' {
    return 'client'
  }

  async setMode(mode: 'client' | 'server'): Promise<void> {
    if (mode === 'server') {
      throw new TypeError('a page that is to be a server is created with clientMode: false')
    }
  }

  readonly get: () => Events = missing
  readonly put: () => Events = missing
  readonly provide: () => Events = missing
  readonly findPeer: () => Events = missing
  readonly findProviders: () => Events = missing
  readonly getClosestPeers: () => Events = missing

  async cancelReprovide(): Promise<void> {}

  async refreshRoutingTable(): Promise<void> {}
}

/** Sends requests as kad-dht does, one a stream. */
function requestsBy(connectionManager: ConnectionManager, protocol: string, log: Logger): Network {
  return {
    async *sendRequest(to, message, options): Events {
      const { path } = options

      try {
        const stream = await connectionManager.openStream(to, protocol, options)
        const response = await responseTo(message, lpStream(stream), options).catch((error) => {
          stream.abort(toError(error))
          throw error
        })
        stream.close(options).catch((error) => stream.abort(toError(error)))
        yield { type: PEER_RESPONSE_EVENT, name: 'PEER_RESPONSE', from: to, path, ...response }
      } catch (error) {
        log('%p does not answer - %e', to, error)
        yield {
          type: QUERY_ERROR_EVENT,
          name: 'QUERY_ERROR',
          from: to,
          path,
          error: toError(error)
        }
      }
    }
  }
}

type Response = Pick<
  Extract<QueryEvent, { name: 'PEER_RESPONSE' }>,
  'messageName' | 'messageType' | 'closer' | 'providers' | 'record'
>

async function responseTo(
  { type, key, record }: Message,
  stream: ReturnType<typeof lpStream>,
  { signal }: RequestOptions
): Promise<Response> {
  const request: KadMessage = { type: TYPES.indexOf(type), key, record, ...NOTHING_ELSE }
  await stream.write(writeKadMessage(request), { signal })
  const response = readKadMessage((await stream.read({ signal })).subarray())
  return {
    messageName: type,
    messageType: type,
    closer: response.closer.flatMap(peersIn),
    providers: response.providers.flatMap(peersIn),
    record: response.record && Libp2pRecord.deserialize(response.record)
  }
}

/** The peer in a field; none if it is no peer. */
function peersIn(field: Uint8Array): PeerInfo[] {
  let id: PeerId | undefined
  const multiaddrs: Multiaddr[] = []

  try {
    for (const one of protobufFields(field)) {
      if (one.number === PEER.id) {
        id = peerIdIn(bytesOf(one))
      } else if (one.number === PEER.address) {
        multiaddrs.push(multiaddr(bytesOf(one).slice()))
      }
    }
  } catch {
    return []
  }

  return id === undefined ? [] : [{ id, multiaddrs }]
}

// biome-ignore lint/correctness/useYield: there is nothing to find
async function* missing(): Events {
  throw new Error('a page that is a client has no kad-dht of its own: call the DHT')
}

function doNothing(): void {}
