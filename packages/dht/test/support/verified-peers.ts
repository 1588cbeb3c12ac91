import type { PeerInfo } from '@libp2p/interface'
import { PeerBook, type PeerBookInit } from '../../src/peers/peer-book.ts'

/** Makes a book in which some peers are verified. */
export function bookOf(peers: Iterable<PeerInfo>, init?: PeerBookInit): PeerBook {
  const book = new PeerBook(init)

  for (const { id } of peers) {
    book.records.update(id, (record) => {
      record.isInTable = true
    })
  }

  return book
}
