import { setTimeout as passed } from 'node:timers/promises'

export interface Usage {
  /** Processor time of all threads since the process began. */
  readonly cpuMs: number

  /** Resident memory. */
  readonly rssBytes: number
}

export function usage(): Usage {
  const { user, system } = process.cpuUsage()
  return { cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage.rss() }
}

/** Runs a function; resolves with its time and this process's processor time, in milliseconds. */
export async function timed<T>(run: () => Promise<T>) {
  const before = usage()
  const start = performance.now()
  const result = await run()
  return { elapsedMs: performance.now() - start, cpuMs: usage().cpuMs - before.cpuMs, result }
}

/** Memory of a process after garbage collection. */
export interface LiveMemory {
  readonly rssBytes: number

  /** Bytes of the heap and of buffers outside it. */
  readonly usedBytes: number
}

const COLLECTIONS = 5

/** Pause between collections: a request that has ended can hold memory for a moment longer. */
const PAUSE_MS = 200

/** Measures memory after a pause and several garbage collections. */
export async function liveMemory(): Promise<LiveMemory> {
  for (let i = 1; i < COLLECTIONS; i++) {
    await passed(PAUSE_MS)
    globalThis.gc?.()
  }

  await passed(PAUSE_MS)
  const usedBytes = collectedBytes()
  return { rssBytes: process.memoryUsage.rss(), usedBytes }
}

/** Collects garbage, which takes some milliseconds, and returns the heap and buffers in use. */
export function collectedBytes(): number {
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Runs a function; resolves with the greatest value that a figure reached meanwhile. */
export async function peakOf(
  figure: () => number,
  everyMs: number,
  run: () => Promise<void>
): Promise<number> {
  let peak = figure()
  const look = (): void => {
    peak = Math.max(peak, figure())
  }
  using _timer = setInterval(look, everyMs)
  await run()
  look()
  return peak
}

/** Returns milliseconds of the steady clock that all processes of a machine share. */
export function steadyTimeMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
