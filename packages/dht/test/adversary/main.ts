// `pnpm adversary [attack ...] [--seconds N] [--write]`: what attacks do to honest calls, as a table; and into SECURITY.md.
import process from 'node:process'
import { parseArgs } from 'node:util'
import { type AttackName, attackCalled, attackNames } from './attacks.ts'
import { type Comparison, compared } from './comparison.ts'
import { writeResult } from './results.ts'
import { latenciesOf, Stand } from './stand.ts'

const HONEST_RECORDS = 1000
const MIB = 2 ** 20

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '10' },
    write: { type: 'boolean', default: false }
  }
})
const ROUND_MS = 1000
const rounds = { count: Number(values.seconds), eachMs: ROUND_MS }

print(
  ...['attack', 'p50 alone', 'p50 beside load', 'p50 attacked'],
  ...['p99 alone', 'p99 beside load', 'p99 attacked', 'times'],
  ...['calls', 'lost', 'MiB more', 'cut off', 'attempts', 'answers']
)

for (const name of positionals.length === 0 ? attackNames : positionals.map(asAttack)) {
  await measure(name)
}

async function measure(name: AttackName): Promise<void> {
  await using stand = await Stand.start()
  await stand.prepare(HONEST_RECORDS)
  await stand.work(2 * ROUND_MS)
  const alone = latenciesOf(await stand.work(3 * ROUND_MS))
  const residentBytes = stand.residentBytes()
  const { comparison, peakBytes } = await watched(stand, name)
  const { during, control, report } = comparison

  if (values.write) {
    writeResult(name, { during, control })
  }

  print(
    attackCalled(name).what,
    ...[alone, control, during].map(({ medianMs }) => medianMs.toFixed(2)),
    ...[alone, control, during].map(({ p99Ms }) => p99Ms.toFixed(2)),
    (during.p99Ms / control.p99Ms).toFixed(2),
    String(during.calls),
    String(await stand.lost()),
    String(Math.round((peakBytes - residentBytes) / MIB)),
    report.isConnected ? 'no' : 'yes',
    String(report.attempts),
    JSON.stringify(report.answers)
  )
}

/** Measures the victim's memory meanwhile. */
async function watched(
  stand: Stand,
  name: AttackName
): Promise<{ comparison: Comparison; peakBytes: number }> {
  let peakBytes = 0
  const looking = setInterval(() => {
    peakBytes = Math.max(peakBytes, stand.residentBytes())
  }, 100)

  try {
    const comparison = await compared(stand, name, rounds)
    return { comparison, peakBytes }
  } finally {
    clearInterval(looking)
  }
}

function asAttack(name: string): AttackName {
  const known = attackNames.find((each) => each === name)

  if (known === undefined) {
    throw new Error(`no attack is called ${name}: there are ${attackNames.join(', ')}`)
  }

  return known
}

function print(...cells: readonly string[]): void {
  process.stdout.write(`| ${cells.join(' | ')} |\n`)
}
