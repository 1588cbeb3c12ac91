import type { DHT } from '@waggle/dht'
import { type DHTRecord, encodeRecord } from '@waggle/record'
import {
  EXCHANGE_PROTOCOL,
  ExchangeServer,
  PeerIndex,
  ProtocolServer,
  RecordStore
} from '../../nodes/internals.ts'

/**
 * Ways to lie. `silent` never replies to a request; `forgetful` accepts everything and holds nothing; `stale`
 * accepts everything and replies with the first value; `forging` replies with a version of the last value that
 * seems to be newer.
 */
export const LIES = ['silent', 'forgetful', 'stale', 'forging'] as const

export type Lie = (typeof LIES)[number]

/** Seconds that forged expirations are ahead of honest ones. They win, and are within the limit. */
const FORGED_AHEAD_SECONDS = 100

/** Makes a peer lie from now on. Liars know each other and list only each other. */
export async function lieAs(lie: Lie, { libp2p }: DHT, liars: readonly DHT[]): Promise<void> {
  const others = new PeerIndex()

  for (const { peerId: id, multiaddrs } of liars) {
    others.set({ id, multiaddrs })
  }

  const server = new ProtocolServer()
  const exchange = new ExchangeServer({
    store: lyingStore(lie),
    routing: { nearest: (target, count) => others.nearest(target, count) }
  })
  await libp2p.unhandle(EXCHANGE_PROTOCOL)
  await libp2p.handle(EXCHANGE_PROTOCOL, (stream, { remotePeer }) => {
    if (lie !== 'silent') {
      server.serve(exchange, stream, remotePeer)
    }
  })

  // Streams that were opened before would still be served honestly.
  for (const stream of libp2p.getConnections().flatMap(({ streams }) => streams)) {
    if (stream.protocol === EXCHANGE_PROTOCOL && stream.direction === 'inbound') {
      stream.abort(new Error('the peer has become a liar'))
    }
  }
}

/** Creates a store that accepts everything and holds the records that the lie needs. */
function lyingStore(lie: Lie): RecordStore {
  const held = new Map<string, DHTRecord>()

  return Object.assign(new RecordStore(), {
    encoded(key: Uint8Array) {
      const record = held.get(nameOf(key))
      return record && encodeRecord(record)
    },
    apply(key: Uint8Array, record: DHTRecord) {
      if (lie === 'forging') {
        held.set(nameOf(key), forge(record))
      } else if (lie === 'stale' && !held.has(nameOf(key))) {
        held.set(nameOf(key), record)
      }

      return { isAccepted: true as const, record }
    }
  })
}

/** Sets a later expiration and keeps the signature. */
function forge({ plain, subkeys }: DHTRecord): DHTRecord {
  return plain === undefined
    ? { subkeys }
    : { plain: { ...plain, expirationTime: plain.expirationTime + FORGED_AHEAD_SECONDS }, subkeys }
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key).toString('latin1')
}
