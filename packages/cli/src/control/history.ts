/** Samples kept. */
const MAX_SAMPLES = 360

/** Milliseconds between two samples, at first and at most. */
const FIRST_INTERVAL_MS = 1000
const MAX_INTERVAL_MS = 16_000

/** Figures of a node at one moment. Cumulative ones count since the node started. */
export interface Sample {
  /** Unix time in seconds. */
  readonly time: number
  readonly records: number
  readonly bytes: number
  readonly peers: number
  readonly cpuSeconds: number
  readonly receivedBytes: number
  readonly sentBytes: number

  /** Keys that peers read or stored here. */
  readonly servedKeys: number

  /** Calls of this node's own program. */
  readonly calls: number

  /** Requests of peers that were answered BUSY or delayed. */
  readonly busy: number

  /** Records of peers that this node had no room for, and records that others had no room for. */
  readonly full: number
  readonly replicasFull: number
}

/**
 * Records a node's figures over time: all of its life at first, at growing intervals, and then the last hour and a
 * half.
 */
export class History implements Disposable {
  readonly #take: () => Promise<Sample>
  #samples: Sample[] = []
  #intervalMs = FIRST_INTERVAL_MS
  #timer: NodeJS.Timeout

  constructor(take: () => Promise<Sample>) {
    this.#take = take
    this.#timer = setTimeout(() => this.#sample(), 0).unref()
  }

  /** The samples, oldest first. */
  get samples(): readonly Sample[] {
    return this.#samples
  }

  /** Adds a sample, and drops every second one when there are too many. */
  add(sample: Sample): void {
    this.#samples.push(sample)

    if (this.#samples.length <= MAX_SAMPLES) {
      return
    }

    if (this.#intervalMs < MAX_INTERVAL_MS) {
      this.#samples = this.#samples.filter((_, index) => index % 2 === 0)
      this.#intervalMs *= 2
    } else {
      this.#samples.shift()
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }

  async #sample(): Promise<void> {
    this.#timer = setTimeout(() => this.#sample(), this.#intervalMs).unref()
    // A stopping node has no figures.
    const sample = await this.#take().catch(() => undefined)

    if (sample !== undefined) {
      this.add(sample)
    }
  }
}
