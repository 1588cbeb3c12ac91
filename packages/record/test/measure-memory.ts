import { readFileSync } from 'node:fs'
import { decode } from 'cborg'
import { checkRecord, decodeRecord, recordKey } from '../src/index.ts'
import { HOSTILE_INPUTS } from './hostile-inputs.ts'

/*
 * Run by unit/memory.test.ts in a process of its own, with --expose-gc: reads one hostile input in
 * one way and prints what that took.
 */

export interface Measured {
  /** The error's name, or "read". */
  outcome: string
  /** Growth of the process at its peak. */
  peakBytes: number
  /** Growth that remains after garbage collection, with the outcome still held. */
  retainedBytes: number
}

const READERS: Record<string, (bytes: Uint8Array) => unknown> = {
  decodeRecord: (bytes) => decodeRecord(bytes),
  checkRecord: (bytes) => checkRecord(recordKey('key'), bytes, { now: 0 }),
  'a reader that builds what it reads': (bytes) => decode(bytes.subarray(7))
}

const [reader = '', input = ''] = process.argv.slice(2)
process.stdout.write(JSON.stringify(measure(reader, input)))

function measure(reader: string, input: string): Measured {
  const read = READERS[reader] as (bytes: Uint8Array) => unknown
  const bytes = (HOSTILE_INPUTS[input] as () => Uint8Array)()
  attempt(read, Uint8Array.of(1, 0xa0))

  const heldBefore = heldBytes()
  const peakBefore = peakBytes()
  const { outcome, result } = attempt(read, bytes)
  const peakBytesTaken = peakBytes() - peakBefore
  const retainedBytes = heldBytes() - heldBefore

  return {
    outcome: result === undefined ? outcome : 'read',
    peakBytes: peakBytesTaken,
    retainedBytes
  }
}

function attempt(
  read: (bytes: Uint8Array) => unknown,
  bytes: Uint8Array
): { outcome: string; result?: unknown } {
  try {
    return { outcome: 'read', result: read(bytes) }
  } catch (error) {
    return { outcome: (error as Error).name }
  }
}

function heldBytes(): number {
  // Collect twice: only the second collection frees what the first one finalizes.
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Linux counts the peak that getrusage tells from before exec, when this was a copy of the test runner. */
function peakBytes(): number {
  const [, peakKiB] = /^VmHWM:\s+(\d+) kB$/m.exec(status()) ?? []
  return Number(peakKiB ?? process.resourceUsage().maxRSS) * 1024
}

function status(): string {
  return process.platform === 'linux' ? readFileSync('/proc/self/status', 'utf8') : ''
}
