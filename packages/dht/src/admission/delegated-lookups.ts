import { CpuShares } from './cpu-shares.ts'
import { TaskQueue } from './task-queue.ts'

/** Lookups that run at the same time. */
const MAX_LOOKUPS = 256

/** Lookups of one peer that run at the same time: enough to hide their latency, and few records that it may not take. */
const MAX_LOOKUPS_PER_PEER = 8

/** Milliseconds of a processor that a lookup takes that finds nothing. */
const LOOKUP_MS = 0.05

/** Milliseconds of a processor that each byte, and each entry, of a copy of the record takes. */
const BYTE_MS = 1.5e-6
const ENTRY_MS = 2.5e-3

/** Weight of the latest lookup in the mean. */
const LATEST_WEIGHT = 0.1

/** The size of a lookup's results, or of a write. */
export interface LookupSize {
  readonly bytes: number
  readonly entries: number

  /** Peers that each sent or took as much. */
  readonly copies: number
}

/**
 * Runs lookups that a node makes for other peers: a few at once, peer by peer. A small request may cause many large
 * responses, whose time counts as the peer's once they are known. Until then, a lookup counts as the last ones did, so a
 * newcomer begins no more of them than it could pay for.
 */
export class DelegatedLookups {
  readonly #shares: CpuShares
  readonly #queue: TaskQueue
  #meanMs = LOOKUP_MS

  constructor(shares: CpuShares = new CpuShares()) {
    this.#shares = shares
    this.#queue = new TaskQueue({
      maxRunning: MAX_LOOKUPS,
      maxRunningPerPeer: MAX_LOOKUPS_PER_PEER,
      costMs: () => this.#meanMs,
      shares
    })
  }

  /** Runs a lookup in the peer's turn. Settles as it does. */
  run<T>(peer: string, lookup: (count: (size: LookupSize) => void) => Promise<T>): Promise<T> {
    return this.#queue.run(peer, async () => {
      const chargedMs = this.#meanMs
      let tookMs = LOOKUP_MS

      try {
        return await lookup((size) => {
          tookMs += costMs(size)
        })
      } finally {
        this.#shares.adjust(peer, tookMs - chargedMs, performance.now())
        this.#meanMs += LATEST_WEIGHT * (tookMs - this.#meanMs)
      }
    })
  }
}

function costMs({ bytes, entries, copies }: LookupSize): number {
  return copies * (bytes * BYTE_MS + entries * ENTRY_MS)
}
