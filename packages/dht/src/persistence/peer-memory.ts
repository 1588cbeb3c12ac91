import type { Disk } from './disk.ts'

const NOTE = 'peers'

/** Separates multiaddrs, which have no line breaks. */
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

/** Persists addresses of peers for the next start. */
export interface PeerMemory {
  /** Reads the addresses saved last, each with `/p2p/<id>`. Those of one peer follow each other. */
  load(): Promise<readonly string[]>

  /** Saves addresses in place of earlier ones. */
  save(addresses: readonly string[]): Promise<void>
}

/** Persists nothing. */
export const NO_MEMORY: PeerMemory = {
  load: async () => [],
  save: async () => {}
}
