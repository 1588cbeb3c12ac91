import { type Identify, identify } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import {
  type KadDHT,
  type KadDHTInit,
  kadDHT,
  passthroughMapper,
  type SingleKadDHT
} from '@libp2p/kad-dht'
import { noise } from '@libp2p/noise'
import { type Ping, ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { until } from '../processes/until.ts'
import type { Node, Place, System } from './system.ts'

type KadNode = Libp2p<{ identify: Identify; ping: Ping; dht: KadDHT }>

/** kad-dht needs a namespace with a validator and a selector: these accept everything. */
const NAMESPACE = 'bench'
const PROTOCOL = '/waggle-bench/kad/1.0.0'

/** Time that an operation may take. */
const TIMEOUT_MS = 20_000

/**
 * Stock kad-dht. Sets only the options that a single machine requires: private addresses in the routing table, and
 * libp2p's limits for connections from one host.
 */
export function kad(init: KadDHTInit = {}): System {
  return {
    async startServer(place) {
      const node = await startNode({ ...init, clientMode: false }, place)
      return { ...nodeOf(node, 1), address: String(node.getMultiaddrs()[0]) }
    },
    async startClient(place) {
      const node = await startNode({ ...init, clientMode: true }, place)
      const { dht } = node.services

      return {
        ...nodeOf(node, 0),
        store: (key, value) => put(dht, keyBytes(key), value),
        get: (key) => get(dht, keyBytes(key))
      }
    }
  }
}

async function startNode(init: KadDHTInit, { host, bootstrap }: Place): Promise<KadNode> {
  const [validators, selectors] = [{ [NAMESPACE]: async () => {} }, { [NAMESPACE]: () => 0 }]
  const peerInfoMapper = passthroughMapper
  const options = { protocol: PROTOCOL, peerInfoMapper, validators, selectors, ...init }
  const node = await createLibp2p({
    addresses: { listen: init.clientMode === true ? [] : [`/ip4/${host}/tcp/0`] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionManager: { inboundConnectionThreshold: 256, maxIncomingPendingConnections: 256 },
    services: { identify: identify(), ping: ping(), dht: kadDHT(options) }
  })

  for (const address of bootstrap) {
    await node.dial(multiaddr(address))
  }

  return node
}

/** A bucket holds no more peers than its size, so a node with small ones never knows all. */
function nodeOf({ services: { dht }, peerId }: KadNode, own: number): Node {
  const { routingTable } = dht as SingleKadDHT

  return {
    async settle(servers) {
      const enough = Math.min(servers - own, dht.k)

      await until(`${enough} peers are in the routing table`, async () => {
        const signal = AbortSignal.timeout(TIMEOUT_MS)

        for await (const _ of dht.getClosestPeers(peerId.toMultihash().bytes, { signal })) {
          // Peers that reply enter the routing table by themselves.
        }

        return routingTable.size >= enough
      })
    }
  }
}

/** Stores a value. It counts as stored if at least one peer accepted it: kad-dht reports no more. */
async function put(dht: KadDHT, key: Uint8Array, value: Uint8Array): Promise<boolean> {
  let isStored = false

  for await (const event of dht.put(key, value, { signal: AbortSignal.timeout(TIMEOUT_MS) })) {
    isStored ||= event.name === 'PEER_RESPONSE' && event.messageName === 'PUT_VALUE'
  }

  return isStored
}

/** Does the same as `libp2p.contentRouting.get`. */
async function get(dht: KadDHT, key: Uint8Array): Promise<Uint8Array | undefined> {
  try {
    for await (const event of dht.get(key, { signal: AbortSignal.timeout(TIMEOUT_MS) })) {
      if (event.name === 'VALUE') {
        return event.value
      }
    }
  } catch (error) {
    if (!(error instanceof Error && error.name === 'NotFoundError')) {
      throw error
    }
  }

  return undefined
}

function keyBytes(key: string): Uint8Array {
  return new TextEncoder().encode(`/${NAMESPACE}/${key}`)
}
