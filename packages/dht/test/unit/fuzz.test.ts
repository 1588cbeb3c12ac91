import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { fuzz, type Target } from '../fuzz/fuzzer.ts'
import { targets } from '../fuzz/targets.ts'
import { IS_LONG } from '../support/effort.ts'

/** Inputs of each target. The default reaches nearly as much code as a minute of `pnpm fuzz`. */
const INPUTS = IS_LONG ? 1_000_000 : 4_000
const SLOW_INPUTS = IS_LONG ? 50_000 : 500
const PATIENCE_MS = IS_LONG ? 600_000 : 60_000
const SEED = 1

const findings = new URL('../fixtures/fuzz/', import.meta.url)
const kept = existsSync(findings) ? readdirSync(findings) : []

describe('what strangers send, as', () => {
  it.each(targets.map((target): [string, Target] => [target.name, target]))(
    '%s, does nothing that it may not, whatever it is (R10, N9b)',
    (_, target) => {
      const enough = target.isSlow ? SLOW_INPUTS : INPUTS
      const outcome = fuzz(target, { seed: SEED, isEnough: (inputs) => inputs >= enough })

      expect(outcome.findings).toEqual([])
      expect(outcome.corpus.length).toBeGreaterThan(1)
    },
    PATIENCE_MS
  )
})

describe('the inputs that once did harm', () => {
  it('do none any more', () => {
    for (const file of kept) {
      const target = targets.find(({ name }) => file.startsWith(`${name}-`))
      const hex = readFileSync(new URL(file, findings), 'utf8').trim()

      expect(target).toBeDefined()
      target?.try(Uint8Array.from(Buffer.from(hex, 'hex')))
    }
  })
})

describe('fuzz', () => {
  const isWatched = (url: string): boolean => url.endsWith('/fuzz.test.ts')

  function fragile(input: Uint8Array): void {
    if (input[0] === 7) {
      if (input[1] === 77) {
        if (input[2] === 177) {
          throw new Error('found')
        }
      }
    }
  }

  it('finds what takes three bytes to be right, one after the other', () => {
    const target: Target = { name: 'fragile', isWatched, seeds: [], words: [], try: fragile }
    const isEnough = (inputs: number, found: number): boolean => found > 0 || inputs > 1_000_000
    const { findings, inputs } = fuzz(target, { seed: 1, isEnough })

    expect(findings.map(({ error }) => String(error))).toEqual(['Error: found'])
    expect(findings[0]?.input.slice(0, 3)).toEqual(Uint8Array.of(7, 77, 177))
    expect(inputs).toBeLessThan(1_000_000)
  })
})
