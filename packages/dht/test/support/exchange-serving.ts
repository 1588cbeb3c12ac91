import type { PeerId, PeerInfo } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { type DHTRecord, encodeRecord, plainRecord, recordKey } from '@waggle/record'
import { ExchangeServer } from '../../src/exchange/exchange-server.ts'
import type { EncodedWrite, FindRequest, StoreRequest } from '../../src/exchange/messages.ts'
import { DEFAULT_NODE_LIMITS, type NodeLimits } from '../../src/node-limits.ts'
import type { Access } from '../../src/peers/access.ts'
import { RecordStore } from '../../src/store/record-store.ts'
import type { RecordStoreOptions } from '../../src/store/record-store-options.ts'
import { ProtocolServer } from '../../src/wire/protocol-server.ts'
import type { StreamSource } from './exchange-streams.ts'
import { Talker } from './exchange-talker.ts'
import { findKey } from './find-answers.ts'
import { manualClock } from './manual-clock.ts'
import { peerNumber } from './numbered-peers.ts'

/** The time at the answering peer, in seconds. */
export const NOW = 1_000_000

export function contact(
  n: number,
  addresses: readonly string[] = [`/ip4/10.0.0.1/tcp/${n + 1}`]
): PeerInfo {
  return { id: peerNumber(n), multiaddrs: addresses.map((address) => multiaddr(address)) }
}

/** Makes a record of about this size that lives for another hour. */
export function recordOf(value: string, sizeBytes = 0): DHTRecord {
  return plainRecord([value, new Uint8Array(sizeBytes)], NOW + 3600)
}

export function findRequest(
  keys: readonly string[],
  differences: Partial<FindRequest> = {}
): FindRequest {
  return {
    name: 'find',
    id: 1,
    closerCount: 5,
    isCloserAlways: false,
    maxAge: 60,
    keys: keys.map((key) => findKey(recordKey(key))),
    ...differences
  }
}

export function storeRequest(
  writes: readonly (readonly [key: string, record: DHTRecord])[],
  differences: Partial<StoreRequest> = {}
): StoreRequest {
  return {
    name: 'store',
    id: 1,
    closerCount: 0,
    isCacheOnly: false,
    writes: writes.map(([key, record]) => encodedWrite(recordKey(key), encodeRecord(record))),
    ...differences
  }
}

/** Makes a write of a peer that knows no closer peers. */
export function encodedWrite(key: Uint8Array, record: Uint8Array): EncodedWrite {
  return { key, record, known: 0 }
}

export interface ServingInit extends RecordStoreOptions {
  /** The peers that the server knows, nearest first, for every key. */
  readonly known?: readonly PeerInfo[]

  /** Further peers that it knows: others for each key, until none are left. */
  readonly crowd?: readonly PeerInfo[]

  /** The limits of the server. */
  readonly nodeLimits?: NodeLimits

  /** The rights of peers. */
  readonly access?: Access

  /** The store, instead of a new one. */
  readonly held?: RecordStore

  /** Whether its neighbours have had the time to hand over missing records. */
  readonly isSettled?: () => boolean

  /** Whether it is a replica of a key. @default always */
  readonly isReplicaOf?: (key: Uint8Array) => boolean

  /** The store of its copies. */
  readonly copies?: RecordStore

  /** The asking peer, according to the server. */
  readonly asker?: PeerId
}

/** A server with a store of its own, and a peer that sends it messages. */
export interface Serving {
  readonly store: RecordStore

  /** The server's end of the stream. */
  readonly stream: Talker['stream']
  readonly talker: Talker
}

export async function serving(source: StreamSource, init: ServingInit = {}): Promise<Serving> {
  const {
    known = [],
    crowd = [],
    asker = source.asker,
    copies,
    nodeLimits,
    access,
    isSettled,
    isReplicaOf,
    ...options
  } = init
  const store = init.held ?? new RecordStore({ clock: manualClock(NOW), ...options })
  const strangers = [...crowd]
  const routing = {
    nearest: (_: Uint8Array, count: number) => [
      ...known.slice(0, count),
      ...strangers.splice(0, count - known.length)
    ]
  }
  const [mine, theirs] = await source.open()
  const limits = nodeLimits ?? DEFAULT_NODE_LIMITS
  const exchange = new ExchangeServer({ store, copies, routing, access, isSettled, isReplicaOf })
  new ProtocolServer({ limits }).serve(exchange, theirs, asker)
  return { store, stream: theirs, talker: new Talker(mine) }
}
