import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import type { Contact } from '../interface.ts'
import type { Disk } from './interface.ts'

/** How peers are remembered from one life of a node to the next. */
export interface PeerMemory {
  /** The peers that were saved last, with those addresses; none if nothing readable was. */
  load(): Promise<Contact[]>

  /** Remembers these peers and no others. */
  save(peers: readonly Contact[]): Promise<void>
}

const NOTE = 'peers'

export function peersOn(disk: Disk): PeerMemory {
  return {
    async load() {
      return read(await disk.note(NOTE))
    },

    async save(peers) {
      const listed = peers.map(({ id, multiaddrs }) => [String(id), multiaddrs.map(String)])
      await disk.setNote(NOTE, JSON.stringify(listed))
    }
  }
}

/** A note of another form is as good as none: peers can be found anew. */
function read(text = '[]'): Contact[] {
  try {
    const listed: [id: string, multiaddrs: string[]][] = JSON.parse(text)
    return listed.map(([id, multiaddrs]) => ({
      id: peerIdFromString(id),
      multiaddrs: multiaddrs.map((address) => multiaddr(address))
    }))
  } catch {
    return []
  }
}
