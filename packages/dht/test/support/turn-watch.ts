import process from 'node:process'

/** Milliseconds between two looks. */
const LOOK_MS = 5

/**
 * Measures how long an event loop is busy at a time. The lesser of the elapsed time and the processor's time counts,
 * so other processes make no difference.
 */
export class TurnWatch {
  #atMs = performance.now()
  #usedMs = usedMs()
  #longestMs = 0

  constructor() {
    setInterval(() => this.#look(), LOOK_MS).unref()
  }

  /** Returns the milliseconds of the longest turn since the last call. */
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

/**
 * Returns the processor's time of this thread, or of the process where Node cannot tell them apart.
 */
function usedMs(): number {
  const { user, system } = process.threadCpuUsage?.() ?? process.cpuUsage()
  return (user + system) / 1000
}
