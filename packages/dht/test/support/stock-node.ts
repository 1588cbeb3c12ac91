import { type KadDHT, type KadDHTInit, kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { recordSelector, recordValidator } from '@waggle/record'
import { DEFAULT_KAD_PROTOCOL } from '../../src/constants.ts'
import {
  type BasicServices,
  basicServices,
  type DisposableNode,
  libp2pNode
} from './libp2p-node.ts'

/** A libp2p node that knows only the record rules of Waggle. */
export type StockNode = DisposableNode<BasicServices & { dht: KadDHT }>

/** Options of kad-dht for a network of Waggle peers on one machine. */
export const STOCK_INIT = {
  protocol: DEFAULT_KAD_PROTOCOL,
  clientMode: false,
  peerInfoMapper: passthroughMapper,
  allowQueryWithZeroPeers: true,
  initialQuerySelfInterval: 50,
  validators: { waggle: recordValidator },
  selectors: { waggle: recordSelector }
} satisfies KadDHTInit

/** Starts a node with only the record rules in a plain kad-dht. */
export function stockNode(
  init: KadDHTInit = {},
  connections: Parameters<typeof libp2pNode>[1] = {}
): Promise<StockNode> {
  return libp2pNode({ ...basicServices(), dht: kadDHT({ ...STOCK_INIT, ...init }) }, connections)
}
