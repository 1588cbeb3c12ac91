import type { Libp2p, ServiceMap } from '@libp2p/interface'
import { type KadDHTComponents, kadDHT, Record as Libp2pRecord } from '@libp2p/kad-dht'
import { NAMESPACE } from '@waggle/record/replica'
import type { Datastore } from 'interface-datastore'
import { DEFAULT_KAD_PROTOCOL } from '../../src/constants.ts'
import { basicServices, type DisposableNode, libp2pNode, untilKnown } from './libp2p-node.ts'
import { STOCK_INIT, type StockNode, stockNode } from './stock-node.ts'

export interface SilentPeer {
  readonly node: DisposableNode

  /** How many requests for records it has left unanswered; kad-dht makes others of its own accord. */
  readonly requests: number
}

/** A peer that looks like one of the network, takes every request and never answers. */
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

/** A stock peer that resets the stream of whoever wants it to hold something. */
export function refusingPeer(): Promise<StockNode> {
  return stockNode({
    validators: {
      waggle: () => {
        throw new Error('nothing is held here')
      }
    }
  })
}

/** What a liar answers with, whatever it was told to hold. */
export interface Lie {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** A stock peer that answers every request for a record with the same lie. */
export function lyingPeer({ key, value }: Lie): Promise<StockNode> {
  const lie = new Libp2pRecord(key, value, new Date()).serialize()
  return stockNodeReading(async () => lie)
}

/** A stock peer that holds nothing, and takes its time to say so. */
export function slowPeer(delayMs: number): Promise<StockNode> {
  return stockNodeReading(async (read) => {
    await new Promise((resolve) => setTimeout(resolve, delayMs))
    return read()
  })
}

/** A stock peer that has its own way of looking up what it holds. */
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

/** The same object but for one member. */
function replacing<T extends object>(object: T, member: keyof T, replacement: unknown): T {
  return new Proxy(object, {
    get(target, name) {
      const original = Reflect.get(target, name, target)
      const own = typeof original === 'function' ? original.bind(target) : original
      return name === member ? replacement : own
    }
  })
}

/** Connects to all nodes, and resolves when all of them take the peer for one of the network. */
export async function infiltrate(
  peer: Libp2p<ServiceMap>,
  nodes: readonly Libp2p<ServiceMap>[]
): Promise<void> {
  await Promise.all(nodes.map((node) => peer.dial(node.getMultiaddrs())))
  await untilKnown(nodes.map((node) => [node, peer]))
}
