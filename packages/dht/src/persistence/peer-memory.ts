import type { PeerMemory } from '../join/peer-memory.ts'
import type { Disk } from './interface.ts'

const NOTE = 'peers'

/** Multiaddrs have no line breaks. */
const SEPARATOR = '\n'

export function peersOn(disk: Disk): PeerMemory {
  return {
    async load() {
      const text = await disk.note(NOTE)
      return text ? text.split(SEPARATOR) : []
    },

    async save(addresses) {
      await disk.setNote(NOTE, addresses.join(SEPARATOR))
    }
  }
}
