/**
 * @packageDocumentation
 *
 * For libraries: Waggle's lookups and record store without its node, to be driven over a transport
 * or a simulated network of one's own. It follows the code inside, and so changes more often than
 * the entry for applications.
 */

export type { PeerInfo } from '@libp2p/interface'
export { ExchangeServer } from './exchange/exchange-server.ts'
export { EXCHANGE_PROTOCOL } from './exchange/messages.ts'
export type { Lookup } from './lookup/lookups.ts'
export { Lookups } from './lookup/lookups.ts'
export type {
  FindOptions,
  FindReply,
  RecordChannel,
  StoreReply,
  WriteOptions
} from './lookup/record-channel.ts'
export { Search } from './lookup/search.ts'
export { pointOfKey, pointOfPeer } from './peers/key-space.ts'
export { PeerBook } from './peers/peer-book.ts'
export { PeerIndex } from './peers/peer-index.ts'
export type { Routing } from './peers/routing.ts'
export { Replicas } from './reading/replicas.ts'
export type { RecordStoreOptions } from './store/record-store.ts'
export { RecordStore } from './store/record-store.ts'
export type { CancellationToken } from './timing/cancellation.ts'
export { ProtocolServer } from './wire/protocol-server.ts'
