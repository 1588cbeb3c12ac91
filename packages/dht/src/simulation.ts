/**
 * What decides whom a node asks and what it holds, without any network: for simulations of networks
 * larger than a machine can run. No part of the public API: it changes with the code inside.
 */

export type { PeerInfo } from '@libp2p/interface'
export { ExchangeServer } from './exchange/exchange-server.ts'
export { EXCHANGE_PROTOCOL } from './exchange/messages.ts'
export { Lookups } from './lookup/lookups.ts'
export type {
  FindOptions,
  FindReply,
  RecordChannel,
  StoreReply,
  WriteOptions
} from './lookup/record-channel.ts'
export { pointOfPeer } from './peers/key-space.ts'
export { PeerBook } from './peers/peer-book.ts'
export { PeerIndex } from './peers/peer-index.ts'
export type { Routing } from './peers/routing.ts'
export { Replicas } from './reading/replicas.ts'
export { RecordStore } from './store/record-store.ts'
export type { CancellationToken } from './timing/cancellation.ts'
export { ProtocolServer } from './wire/protocol-server.ts'
