/** The parts of `@waggle/dht` below its public API that simulations and lying peers are made of. */
export {
  Avoidance,
  type Contact,
  EXCHANGE_PROTOCOL,
  ExchangeServer,
  type FindReply,
  Lookups,
  PeerIndex,
  type RecordChannel,
  RecordStore,
  Replicas,
  type StoreReply,
  type Wanted
} from '@waggle/dht/simulation'
