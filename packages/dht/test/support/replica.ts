import type { Libp2p, PeerId, ServiceMap } from '@libp2p/interface'
import { Record as Libp2pRecord, MessageType } from '@libp2p/kad-dht'
import { type DHTRecord, decodeRecord, encodeRecord, type Key, recordKey } from '@waggle/record'
import { compare } from 'uint8arrays/compare'
import { NO_PATH } from '../../src/kad/internals.ts'
import { distance, pointOfKey, pointOfPeer } from '../../src/peers/key-space.ts'
import { kadOf } from './libp2p-node.ts'

interface HasPeerId {
  readonly peerId: PeerId
}

const PATIENCE_MS = 10_000

/** Asks one peer alone for its record of a key; undefined if it has none. */
export async function heldBy(
  peer: HasPeerId,
  key: Key,
  asker: Libp2p<ServiceMap>
): Promise<DHTRecord | undefined> {
  const bytes = await request(asker, peer, { type: MessageType.GET_VALUE, key: recordKey(key) })
  return bytes && decodeRecord(bytes)
}

/** Stores a record at one peer alone, whether it is near the key or not. */
export async function putAt(
  peer: HasPeerId,
  key: Key,
  record: DHTRecord,
  sender: Libp2p<ServiceMap>
): Promise<void> {
  const bytes = recordKey(key)
  const envelope = new Libp2pRecord(bytes, encodeRecord(record), new Date())

  await request(sender, peer, {
    type: MessageType.PUT_VALUE,
    key: bytes,
    record: envelope.serialize()
  })
}

/** Sorts peers by their distance to a key. */
export function nearestFirst<T extends HasPeerId>(key: Key, peers: Iterable<T>): T[] {
  const target = pointOfKey(recordKey(key))
  return [...peers].sort((a, b) =>
    compare(distance(target, pointOfPeer(a.peerId)), distance(target, pointOfPeer(b.peerId)))
  )
}

/** Finds a key whose nearest peers meet a condition. */
export function keyWhere<T extends HasPeerId>(
  peers: readonly T[],
  isWanted: (nearest: readonly T[]) => boolean,
  prefix = 'key'
): string {
  for (let i = 0; ; i++) {
    const key = `${prefix} ${i}`

    if (isWanted(nearestFirst(key, peers))) {
      return key
    }
  }
}

async function request(
  from: Libp2p<ServiceMap>,
  { peerId }: HasPeerId,
  message: { type: MessageType; key: Uint8Array; record?: Uint8Array }
): Promise<Uint8Array | undefined> {
  const options = { path: NO_PATH, signal: AbortSignal.timeout(PATIENCE_MS) }

  for await (const event of kadOf(from).network.sendRequest(peerId, message, options)) {
    if (event.name === 'PEER_RESPONSE') {
      return event.record?.value
    }

    if (event.name === 'QUERY_ERROR') {
      throw event.error
    }
  }

  throw new Error('no answer')
}
