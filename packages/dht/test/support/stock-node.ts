import { type KadDHT, type KadDHTInit, kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { recordSelector, recordValidator } from '@waggle/record'
import { DEFAULT_KAD_PROTOCOL } from '../../src/constants.ts'
import {
  type BasicServices,
  basicServices,
  type DisposableNode,
  libp2pNode
} from './libp2p-node.ts'

/** A node that knows nothing of Waggle but the rules of its records. */
export type StockNode = DisposableNode<BasicServices & { dht: KadDHT }>

/** kad-dht as anyone may configure it for a network of Waggle peers on one machine. */
export const STOCK_INIT = {
  protocol: DEFAULT_KAD_PROTOCOL,
  clientMode: false,
  peerInfoMapper: passthroughMapper,
  allowQueryWithZeroPeers: true,
  initialQuerySelfInterval: 50,
  validators: { waggle: recordValidator },
  selectors: { waggle: recordSelector }
} satisfies KadDHTInit

/** Starts a node with nothing but the record rules in a plain kad-dht. */
export function stockNode(
  init: KadDHTInit = {},
  connections: Parameters<typeof libp2pNode>[1] = {}
): Promise<StockNode> {
  return libp2pNode({ ...basicServices(), dht: kadDHT({ ...STOCK_INIT, ...init }) }, connections)
}
