/** Internals of `@waggle/dht` that simulations and lying peers use. */
export {
  type CancellationToken,
  type ConnectedPeer,
  EXCHANGE_PROTOCOL,
  ExchangeServer,
  Lookups,
  PeerBook,
  PeerIndex,
  type PeerInfo,
  ProtocolServer,
  peersToDisconnect,
  type RecordChannel,
  RecordStore,
  Replicas
} from '@waggle/dht/lookup'
