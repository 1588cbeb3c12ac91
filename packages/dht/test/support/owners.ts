import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { Ed25519PrivateKey, PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { type DHTRecord, ownerTag, recordKey, signRecord } from '@waggle/record'

export interface TestOwner {
  readonly privateKey: Ed25519PrivateKey
  readonly peerId: PeerId
  readonly tag: string

  /** Signs a record of this peer for a key. */
  sign(key: string, record: DHTRecord): Promise<DHTRecord>
}

/** Makes a peer that owns places, the same one for each seed. */
export async function owner(seed: number): Promise<TestOwner> {
  const privateKey = await generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(seed))
  return {
    privateKey,
    peerId: peerIdFromPrivateKey(privateKey),
    tag: ownerTag(privateKey.publicKey),
    sign: (key, record) => signRecord(recordKey(key), record, privateKey)
  }
}
