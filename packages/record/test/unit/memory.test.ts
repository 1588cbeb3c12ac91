import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { HOSTILE_BYTES, HOSTILE_INPUTS } from '../hostile-inputs.ts'
import type { Measured } from '../measure-memory.ts'

/** Bytes that reading may take at its peak, and retain, however hostile the input. */
const MAX_PEAK_BYTES = 8 * HOSTILE_BYTES
const MAX_RETAINED_BYTES = 2 * HOSTILE_BYTES

const script = fileURLToPath(new URL('../measure-memory.ts', import.meta.url))
const run = promisify(execFile)

/** Measures in a separate process, because memory is counted by process and this one holds the test runner. */
async function measure(reader: string, input: string): Promise<Measured> {
  const flags = ['--conditions=@waggle/source', '--expose-gc', '--max-semi-space-size=1']
  // The code cache of the tests would raise the memory that the measure starts from.
  const env = { ...process.env, NODE_DISABLE_COMPILE_CACHE: '1' }
  const { stdout } = await run(process.execPath, [...flags, script, reader, input], { env })
  return JSON.parse(stdout)
}

const crowded = ['as many subkeys as fit', 'a dictionary that claims two to the 32nd subkeys']
const others = Object.keys(HOSTILE_INPUTS).filter((input) => !crowded.includes(input))

describe.concurrent('decodeRecord', () => {
  it.each(others)('takes a few times the memory of a megabyte of %s (R10)', async (input) => {
    const { peakBytes, retainedBytes } = await measure('decodeRecord', input)

    expect(peakBytes).toBeLessThan(MAX_PEAK_BYTES)
    expect(retainedBytes).toBeLessThan(MAX_RETAINED_BYTES)
  })
})

describe.concurrent('checkRecord', () => {
  it.each(crowded)('refuses a megabyte of %s before it takes memory (R10, R12)', async (input) => {
    const { outcome, peakBytes, retainedBytes } = await measure('checkRecord', input)

    expect(outcome).toBe('RecordTooLargeError')
    expect(peakBytes).toBeLessThan(MAX_PEAK_BYTES)
    expect(retainedBytes).toBeLessThan(MAX_RETAINED_BYTES)
  })
})

describe.concurrent('the measure', () => {
  it.each(['a million empty arrays', 'a million empty objects', 'as many properties as fit'])(
    'finds that a reader that builds what it reads takes far more for %s (R10)',
    async (input) => {
      const measured = await measure('a reader that builds what it reads', input)

      expect(measured.outcome).toBe('read')
      expect(measured.peakBytes).toBeGreaterThan(MAX_PEAK_BYTES)
      expect(measured.retainedBytes).toBeGreaterThan(MAX_RETAINED_BYTES)
    }
  )
})
