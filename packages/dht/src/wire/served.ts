/** A node's work for other peers since it started. */
export interface ServedStats {
  /** Keys that peers asked about or stored, by request. */
  readonly keys: Readonly<Record<ServedKind, number>>

  /** Requests delayed or answered BUSY because of overload, and streams of peers that may not connect. */
  readonly refused: Readonly<Record<ServedRefusal, number>>

  /** Bytes sent in replies and notifications. */
  readonly bytes: number

  /** Changes sent to watching peers. */
  readonly changes: number
}

/** Requests whose keys are counted. */
export type ServedKind = 'find' | 'store' | 'watch' | 'compare'

/** Reason why a request was refused. */
export type ServedRefusal = 'busy' | 'access'

/** Counts a node's work for other peers. */
export class Served {
  readonly #keys = { find: 0, store: 0, watch: 0, compare: 0 }
  readonly #refused = { busy: 0, access: 0 }
  #bytes = 0
  #changes = 0

  /** Counts the keys of a request. Ignores other messages. */
  countKeys(request: string, keys: number): void {
    if (Object.hasOwn(this.#keys, request)) {
      this.#keys[request as ServedKind] += keys
    }
  }

  countRefusal(reason: ServedRefusal): void {
    this.#refused[reason]++
  }

  countBytes(bytes: number): void {
    this.#bytes += bytes
  }

  countChanges(changes: number): void {
    this.#changes += changes
  }

  stats(): ServedStats {
    return {
      keys: { ...this.#keys },
      refused: { ...this.#refused },
      bytes: this.#bytes,
      changes: this.#changes
    }
  }
}
