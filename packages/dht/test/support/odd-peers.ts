import type { Libp2p, ServiceMap } from '@libp2p/interface'
import { type KadDHTComponents, kadDHT, Record as Libp2pRecord } from '@libp2p/kad-dht'
import { NAMESPACE } from '@waggle/record/replica'
import type { Datastore } from 'interface-datastore'
import { DEFAULT_KAD_PROTOCOL } from '../../src/constants.ts'
import { basicServices, type DisposableNode, libp2pNode, untilKnown } from './libp2p-node.ts'
import { STOCK_INIT, type StockNode, stockNode } from './stock-node.ts'

export interface SilentPeer {
  readonly node: DisposableNode

  /**
   * Requests for records that it has left unanswered. Requests that kad-dht sends by itself do not count.
   */
  readonly requests: number
}

/**
 * Starts a peer that looks like a server of the network, accepts every request and never answers.
 */
export async function silentPeer(): Promise<SilentPeer> {
  const node = await libp2pNode(basicServices())
  let requests = 0

  await node.handle(DEFAULT_KAD_PROTOCOL, async (stream) => {
    for await (const message of stream) {
      requests += Number(Buffer.from(message.subarray()).includes(`/${NAMESPACE}/`))
    }
  })

  return {
    node,
    get requests() {
      return requests
    }
  }
}

/** Starts a plain kad-dht peer that resets the stream of every write. */
export function refusingPeer(): Promise<StockNode> {
  return stockNode({
    validators: {
      waggle: () => {
        throw new Error('nothing is held here')
      }
    }
  })
}

/** The record that a liar returns for every key. */
export interface Lie {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** Starts a plain kad-dht peer that answers every request for a record with the same lie. */
export function lyingPeer({ key, value }: Lie): Promise<StockNode> {
  const lie = new Libp2pRecord(key, value, new Date()).serialize()
  return stockNodeReading(async () => lie)
}

/** Starts a plain kad-dht peer that holds nothing, and says so late. */
export function slowPeer(delayMs: number): Promise<StockNode> {
  return stockNodeReading(async (read) => {
    await new Promise((resolve) => setTimeout(resolve, delayMs))
    return read()
  })
}

/** Starts a plain kad-dht peer with its own way to read records. */
function stockNodeReading(
  readRecord: (read: () => Promise<Uint8Array>) => Promise<Uint8Array>
): Promise<StockNode> {
  return libp2pNode({
    ...basicServices(),
    dht: (components: KadDHTComponents) => {
      const { datastore } = components
      const get: Datastore['get'] = async (key, options) => {
        const read = async () => datastore.get(key, options)
        return key.toString().startsWith('/dht/record/') ? readRecord(read) : read()
      }

      return kadDHT(STOCK_INIT)(
        replacing(components, 'datastore', replacing(datastore, 'get', get))
      )
    }
  })
}

/** Returns an object with one member replaced. */
function replacing<T extends object>(object: T, member: keyof T, replacement: unknown): T {
  return new Proxy(object, {
    get(target, name) {
      const original = Reflect.get(target, name, target)
      const own = typeof original === 'function' ? original.bind(target) : original
      return name === member ? replacement : own
    }
  })
}

/** Connects to all nodes, and resolves when they all take the peer for a server of the network. */
export async function infiltrate(
  peer: Libp2p<ServiceMap>,
  nodes: readonly Libp2p<ServiceMap>[]
): Promise<void> {
  await Promise.all(nodes.map((node) => peer.dial(node.getMultiaddrs())))
  await untilKnown(nodes.map((node) => [node, peer]))
}
