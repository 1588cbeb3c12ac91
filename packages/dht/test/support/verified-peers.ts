import type { PeerInfo } from '@libp2p/interface'
import { PeerBook, type PeerBookInit } from '../../src/peers/peer-book.ts'

/** A book in which some peers are known by more than what others say. */
export function bookOf(peers: Iterable<PeerInfo>, init?: PeerBookInit): PeerBook {
  const book = new PeerBook(init)

  for (const { id } of peers) {
    book.records.update(id, (record) => {
      record.isInTable = true
    })
  }

  return book
}
