import process from 'node:process'

/** Time between two looks, in ms. */
const LOOK_MS = 5

/**
 * Measures how long an event loop is kept busy at a time. What others use of the processor meanwhile, or the
 * machine does, is not the loop's doing: the lesser of the time that passed and the processor's time counts.
 */
export class TurnWatch {
  #atMs = performance.now()
  #usedMs = usedMs()
  #longestMs = 0

  constructor() {
    setInterval(() => this.#look(), LOOK_MS).unref()
  }

  /** The longest turn since this was last called, in ms. */
  takeLongestMs(): number {
    this.#look()
    const longestMs = this.#longestMs
    this.#longestMs = 0
    return longestMs
  }

  #look(): void {
    const nowMs = performance.now()
    const nowUsedMs = usedMs()
    const tookMs = Math.min(nowMs - this.#atMs - LOOK_MS, nowUsedMs - this.#usedMs)
    this.#longestMs = Math.max(this.#longestMs, tookMs)
    this.#atMs = nowMs
    this.#usedMs = nowUsedMs
  }
}

/** The processor's time of this thread, where Node can tell it from that of others. */
function usedMs(): number {
  const { user, system } = process.threadCpuUsage?.() ?? process.cpuUsage()
  return (user + system) / 1000
}
