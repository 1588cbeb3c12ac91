import { BoundedMap } from '../collections/bounded-map.ts'

/** Peers whose keys are counted individually. */
const MAX_PEERS = 1024

/** A node's work for other peers since it started. */
export interface ServedStats {
  /** Keys that peers read or stored, by request. */
  readonly keys: Readonly<Record<ServedKind, number>>

  /** Records that peers stored or handed over here, by the answer. */
  readonly writes: Readonly<Record<ServedWrite, number>>

  /** Requests delayed or answered BUSY because of overload, and streams of peers that may not connect. */
  readonly refused: Readonly<Record<ServedRefusal, number>>

  /** Bytes sent in replies and notifications. */
  readonly bytes: number

  /** Changes sent to watching peers. */
  readonly changes: number
}

/** Requests whose keys are counted; `gateway`: looked up or stored on behalf of clients. */
export type ServedKind = 'find' | 'store' | 'watch' | 'compare' | 'gateway'

/** Answers to a write, as a writer's node reports them. */
export type ServedWrite = 'accepted' | 'stale' | 'full' | 'expired' | 'refused' | 'invalid'

/** Reason why a request was refused. */
export type ServedRefusal = 'busy' | 'access'

/** Counts a node's work for other peers. */
export class Served {
  readonly #keys = { find: 0, store: 0, watch: 0, compare: 0, gateway: 0 }
  readonly #writes = { accepted: 0, stale: 0, full: 0, expired: 0, refused: 0, invalid: 0 }
  readonly #refused = { busy: 0, access: 0 }
  readonly #peers = new BoundedMap<string, { keys: number }>({ maxSize: MAX_PEERS })
  #bytes = 0
  #changes = 0

  /** Counts the keys of a peer's request. Ignores other messages. */
  countKeys(peer: string, request: string, keys: number): void {
    if (Object.hasOwn(this.#keys, request)) {
      this.#keys[request as ServedKind] += keys
      this.#ofPeer(peer).keys += keys
    }
  }

  /** Returns the number of keys that one peer read or stored. */
  keysOf(peer: string): number {
    return this.#peers.get(peer)?.keys ?? 0
  }

  countWrite(outcome: ServedWrite): void {
    this.#writes[outcome]++
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

  #ofPeer(peer: string): { keys: number } {
    const known = this.#peers.get(peer)

    if (known !== undefined) {
      return known
    }

    const added = { keys: 0 }
    this.#peers.set(peer, added)
    return added
  }

  stats(): ServedStats {
    return {
      keys: { ...this.#keys },
      writes: { ...this.#writes },
      refused: { ...this.#refused },
      bytes: this.#bytes,
      changes: this.#changes
    }
  }
}
