/** The parts of `@waggle/dht` below its public API that simulations and lying peers are made of. */
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
