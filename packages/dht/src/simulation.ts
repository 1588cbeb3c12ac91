/**
 * What decides whom a node asks and what it holds, without any network: for simulations of networks
 * larger than a machine can run. No part of the public API: it changes with the code inside.
 */

export { ExchangeServer } from './exchange/exchange-server.ts'
export { EXCHANGE_PROTOCOL } from './exchange/limits.ts'
export type {
  Contact,
  FindOptions,
  FindReply,
  RecordChannel,
  Routing,
  StoreReply,
  Wanted,
  WriteOptions
} from './interface.ts'
export { Avoidance } from './lookup/avoidance.ts'
export { pointOfPeer } from './lookup/key-space.ts'
export { Lookups } from './lookup/lookups.ts'
export { PeerIndex } from './lookup/peer-index.ts'
export { Replicas } from './replicas/replicas.ts'
export { RecordStore } from './store/record-store.ts'
