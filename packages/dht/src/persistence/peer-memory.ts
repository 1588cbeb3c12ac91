import type { Disk } from './disk.ts'

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

/** Where the addresses of peers are kept for the next start. */
export interface PeerMemory {
  /** The addresses saved last, each with `/p2p/<id>`; those of one peer follow each other. */
  load(): Promise<readonly string[]>

  /** Replaces what was saved before. */
  save(addresses: readonly string[]): Promise<void>
}

/** Keeps nothing beyond the life of the process. */
export const NO_MEMORY: PeerMemory = {
  load: async () => [],
  save: async () => {}
}
