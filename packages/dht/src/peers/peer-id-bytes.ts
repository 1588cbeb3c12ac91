import type { PeerId } from '@libp2p/interface'
import { peerIdFromMultihash } from '@libp2p/peer-id'
import { decode } from 'multiformats/hashes/digest'

/** Returns the peer id of a multihash in a message, of which it keeps a copy. @throws Error for anything else */
export function peerIdIn(bytes: Uint8Array): PeerId {
  return peerIdFromMultihash(decode(bytes.slice()))
}
