import { ID_BYTES } from '../keys/dht-id.ts'
import type { NodeContact } from './node-contact.ts'

const ID_BITS = BigInt(8 * ID_BYTES)

/** A contact with its node id as a number. */
export interface Placed {
  readonly contact: NodeContact
  readonly number: bigint
}

export interface KBucketInit {
  /** The least id of the range. */
  readonly lower: bigint

  /** Number of times that the whole range was halved. */
  readonly depth: number
  readonly size: number
}

/** Nodes of one range of ids, the least recently seen first, and replacements for free places. */
export class KBucket {
  readonly lower: bigint
  readonly depth: number
  readonly #size: number
  readonly #nodes = new Map<string, Placed>()
  readonly #replacements = new Map<string, Placed>()
  readonly #pinged = new Set<string>()

  constructor({ lower, depth, size }: KBucketInit) {
    this.lower = lower
    this.depth = depth
    this.#size = size
  }

  get isFull(): boolean {
    return this.#nodes.size >= this.#size
  }

  has(name: string): boolean {
    return this.#nodes.has(name)
  }

  contains(number: bigint): boolean {
    return number >> (ID_BITS - BigInt(this.depth)) === this.lower >> (ID_BITS - BigInt(this.depth))
  }

  /** Adds a node or makes it the most recently seen. Returns false if the bucket is full. */
  add(name: string, placed: Placed): boolean {
    this.#pinged.delete(name)

    if (!this.#nodes.has(name) && this.isFull) {
      return false
    }

    this.#nodes.delete(name)
    this.#nodes.set(name, placed)
    return true
  }

  /** Keeps a node as a replacement for a free place. */
  replaceLater(name: string, placed: Placed): void {
    this.#replacements.delete(name)
    this.#replacements.set(name, placed)
    const [oldest] = this.#replacements.keys()

    if (this.#replacements.size > this.#size && oldest !== undefined) {
      this.#replacements.delete(oldest)
    }
  }

  /** Takes the least recently seen node that has no ping in flight. */
  takeToPing(): NodeContact | undefined {
    for (const [name, { contact }] of this.#nodes) {
      if (!this.#pinged.has(name)) {
        this.#pinged.add(name)
        return contact
      }
    }

    return undefined
  }

  /** Removes a node and returns the replacement that takes its place. */
  delete(name: string): Placed | undefined {
    this.#replacements.delete(name)
    this.#pinged.delete(name)

    if (!this.#nodes.delete(name)) {
      return undefined
    }

    const [newest, placed] = [...this.#replacements].at(-1) ?? []

    if (newest !== undefined && placed !== undefined) {
      this.#replacements.delete(newest)
      this.#nodes.set(newest, placed)
    }

    return placed
  }

  /** Splits the bucket into two halves, each with its nodes. */
  split(): [KBucket, KBucket] {
    const depth = this.depth + 1
    const middle = this.lower + (1n << (ID_BITS - BigInt(depth)))
    const size = this.#size
    const halves: [KBucket, KBucket] = [
      new KBucket({ lower: this.lower, depth, size }),
      new KBucket({ lower: middle, depth, size })
    ]

    for (const [name, placed] of [...this.#nodes, ...this.#replacements]) {
      const half = halves[placed.number < middle ? 0 : 1]

      if (!half.add(name, placed)) {
        half.replaceLater(name, placed)
      }
    }

    return halves
  }

  /** The nodes without the replacements. */
  names(): IterableIterator<string> {
    return this.#nodes.keys()
  }
}
