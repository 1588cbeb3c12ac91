import type { PeerInfo } from '@libp2p/interface'
import type { DHT } from '@waggle/dht'
import {
  EXCHANGE_PROTOCOL,
  ExchangeServer,
  PeerIndex,
  ProtocolServer,
  RecordStore
} from '@waggle/dht/simulation'
import { type DHTRecord, encodeRecord } from '@waggle/record'

/**
 * How a peer lies: it takes every question and never answers; it accepts everything and holds nothing; it
 * accepts everything and answers with what came first; or with its own version of what came last, which
 * seems to be newer.
 */
export const LIES = ['silent', 'forgetful', 'stale', 'forging'] as const

export type Lie = (typeof LIES)[number]

/** Far enough ahead of what honest peers write to win, and not beyond what is allowed. */
const FORGED_AHEAD_SECONDS = 100

/** Has a peer lie from now on. Liars know each other, and name nobody else. */
export async function lieAs(lie: Lie, { libp2p }: DHT, liars: readonly DHT[]): Promise<void> {
  const store = new LyingStore(lie)
  const others = new PeerIndex()

  for (const liar of liars) {
    others.set(contactOf(liar))
  }

  const server = new ProtocolServer()
  const exchange = new ExchangeServer({
    store: store.asRecordStore(),
    routing: { nearest: (target, count) => others.nearest(target, count) }
  })
  await libp2p.unhandle(EXCHANGE_PROTOCOL)
  await libp2p.handle(EXCHANGE_PROTOCOL, (stream, { remotePeer }) => {
    if (lie !== 'silent') {
      server.serve(exchange, stream, remotePeer)
    }
  })

  // Those that were opened before would go on being answered.
  for (const stream of libp2p.getConnections().flatMap(({ streams }) => streams)) {
    if (stream.protocol === EXCHANGE_PROTOCOL && stream.direction === 'inbound') {
      stream.abort(new Error('the peer has become a liar'))
    }
  }
}

function contactOf({ peerId, multiaddrs }: DHT): PeerInfo {
  return { id: peerId, multiaddrs }
}

/** What a liar seems to hold. */
class LyingStore {
  readonly #lie: Lie
  readonly #held = new Map<string, DHTRecord>()

  constructor(lie: Lie) {
    this.#lie = lie
  }

  /** Seen from outside, one like any other. */
  asRecordStore(): RecordStore {
    return Object.assign(new RecordStore(), {
      encoded: (key: Uint8Array) => this.#encoded(key),
      apply: (key: Uint8Array, write: DHTRecord) => {
        this.#take(nameOf(key), write)
        return { isAccepted: true as const, record: write }
      }
    })
  }

  #take(name: string, write: DHTRecord): void {
    if (this.#lie === 'forging' || (this.#lie === 'stale' && !this.#held.has(name))) {
      this.#held.set(name, this.#lie === 'forging' ? forged(write) : write)
    }
  }

  #encoded(key: Uint8Array): Uint8Array | undefined {
    const record = this.#held.get(nameOf(key))
    return record && encodeRecord(record)
  }
}

/** The same with a later expiration, and the old signature. */
function forged({ plain, subkeys }: DHTRecord): DHTRecord {
  return plain === undefined
    ? { subkeys }
    : { plain: { ...plain, expirationTime: plain.expirationTime + FORGED_AHEAD_SECONDS }, subkeys }
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key).toString('latin1')
}
