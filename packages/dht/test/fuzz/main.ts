// `pnpm fuzz [target ...] [--seconds N] [--seed N]`: tries inputs until the time is over or something is found.
import { mkdirSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { fuzz, type Target } from './fuzzer.ts'
import { targets } from './targets.ts'

const FINDINGS = fileURLToPath(new URL('../fixtures/fuzz/', import.meta.url))
const DEFAULT_SECONDS = '60'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: DEFAULT_SECONDS },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) }
  }
})
const chosen = positionals.length === 0 ? targets : positionals.map(targetCalled)
const forMs = (Number(values.seconds) * 1000) / chosen.length

for (const target of chosen) {
  const untilMs = performance.now() + forMs
  const { inputs, functions, missedParts, corpus, findings } = fuzz(target, {
    seed: Number(values.seed),
    isEnough: () => performance.now() > untilMs
  })
  process.stdout.write(
    `${target.name}: ${inputs} inputs in ${Math.round(forMs / 1000)} s, seed ${values.seed}; of ${functions} functions ${missedParts} parts have not run; ${corpus.length} inputs of use, ${findings.length} findings\n`
  )

  for (const [index, { input, error }] of findings.entries()) {
    keep(target, input, `${values.seed}-${index}`)
    process.stdout.write(`${error instanceof Error ? error.stack : error}\n`)
    process.exitCode = 1
  }
}

function targetCalled(name: string): Target {
  const target = targets.find((each) => each.name === name)

  if (target === undefined) {
    throw new Error(`no target is called ${name}: there are ${targets.map((each) => each.name)}`)
  }

  return target
}

/** Saves an input, which the tests try from now on. */
function keep({ name }: Target, input: Uint8Array, what: string): void {
  mkdirSync(FINDINGS, { recursive: true })
  writeFileSync(`${FINDINGS}${name}-${what}.hex`, Buffer.from(input).toString('hex'))
}
