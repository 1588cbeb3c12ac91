import { setTimeout } from 'node:timers/promises'

/** What a process needs, and not what it has yet to collect. */
export interface LiveMemory {
  readonly rssBytes: number

  /** The heap, and buffers outside it. */
  readonly usedBytes: number
}

/** What ends with a request may hold memory for a moment longer. */
const PAUSE_MS = 200
const COLLECTIONS = 5

/** Measures after some time without work, and without garbage. Takes `--expose-gc`. */
export async function liveMemory(): Promise<LiveMemory> {
  for (let i = 0; i < COLLECTIONS; i++) {
    await setTimeout(PAUSE_MS)
    collect()
  }

  return { rssBytes: process.memoryUsage.rss(), usedBytes: usedBytes() }
}

/** What is in use at this moment, without garbage. Takes `--expose-gc`, and some milliseconds. */
export function collectedBytes(): number {
  collect()
  return usedBytes()
}

function collect(): void {
  if (globalThis.gc === undefined) {
    throw new Error('the process was not started with --expose-gc')
  }

  globalThis.gc()
}

function usedBytes(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
