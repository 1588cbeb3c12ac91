import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { type Identify, identify } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import {
  type KadDHT,
  type KadDHTInit,
  kadDHT,
  passthroughMapper,
  type SingleKadDHT
} from '@libp2p/kad-dht'
import { type Ping, ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { until } from '../workload/until.ts'
import type { Client, Node, Place, Server, System } from './system.ts'

type KadNode = Libp2p<{ identify: Identify; ping: Ping; dht: KadDHT }>

/** kad-dht wants a namespace, and for it a validator and a selector: those here take everything. */
const NAMESPACE = 'bench'
const PROTOCOL = '/waggle-bench/kad/1.0.0'

/** No operation that goes well takes as long. */
const TIMEOUT_MS = 20_000

/**
 * Stock kad-dht. Set is only what it needs on one machine: private addresses in the routing table,
 * and libp2p's limits for connections from one host.
 */
export function kad(init: KadDHTInit = {}): System {
  return {
    startServer: (place) => startServer(init, place),
    startClient: (place) => startClient(init, place)
  }
}

async function startServer(init: KadDHTInit, place: Place): Promise<Server> {
  const node = await startNode({ ...init, clientMode: false }, place)
  return { ...nodeOf(node, { isServer: true }), address: String(node.getMultiaddrs()[0]) }
}

async function startClient(init: KadDHTInit, place: Place): Promise<Client> {
  const node = await startNode({ ...init, clientMode: true }, place)
  const { dht } = node.services

  return {
    ...nodeOf(node, { isServer: false }),
    store: (key, value) => put(dht, keyBytes(key), value),
    get: (key) => get(dht, keyBytes(key))
  }
}

async function startNode(init: KadDHTInit, { host, bootstrap }: Place): Promise<KadNode> {
  const node = await createLibp2p({
    addresses: { listen: init.clientMode === true ? [] : [`/ip4/${host}/tcp/0`] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionManager: { inboundConnectionThreshold: 256, maxIncomingPendingConnections: 256 },
    services: { identify: identify(), ping: ping(), dht: kadDHT(kadOptions(init)) }
  })

  for (const address of bootstrap) {
    await node.dial(multiaddr(address))
  }

  return node
}

function kadOptions(init: KadDHTInit): KadDHTInit {
  return {
    protocol: PROTOCOL,
    peerInfoMapper: passthroughMapper,
    validators: { [NAMESPACE]: async () => undefined },
    selectors: { [NAMESPACE]: () => 0 },
    ...init
  }
}

function nodeOf(node: KadNode, { isServer }: { isServer: boolean }): Node {
  return {
    settle: (servers) => settle(node, isServer ? servers - 1 : servers),
    stop: async () => node.stop()
  }
}

/** A bucket takes in no more peers than its size, so that a small one never knows all. */
async function settle({ services: { dht }, peerId }: KadNode, others: number): Promise<void> {
  const { routingTable } = dht as SingleKadDHT
  const enough = Math.min(others, dht.k)

  const lookAround = async (): Promise<boolean> => {
    const signal = AbortSignal.timeout(TIMEOUT_MS)

    // It waits for the first peer, which the dial has brought.
    for await (const _ of dht.getClosestPeers(peerId.toMultihash().bytes, { signal })) {
      // Peers that answer get into the routing table by themselves.
    }

    return routingTable.size >= enough
  }

  await until(lookAround, { what: `${enough} peers are in the routing table` })
}

/** Stored if at least one peer took it: kad-dht says no more. */
async function put(dht: KadDHT, key: Uint8Array, value: Uint8Array): Promise<boolean> {
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  let accepted = 0

  for await (const event of dht.put(key, value, { signal })) {
    if (event.name === 'PEER_RESPONSE' && event.messageName === 'PUT_VALUE') {
      accepted += 1
    }
  }

  return accepted > 0
}

/** What `libp2p.contentRouting.get` does. */
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
