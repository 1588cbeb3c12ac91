// `pnpm adversary [attack ...] [--seconds N]`: what attacks do to honest calls, as a table.
import process from 'node:process'
import { parseArgs } from 'node:util'
import { AttackerProcess } from './attacker-process.ts'
import { type AttackName, attackCalled, attackNames } from './attacks.ts'
import { type Latencies, Stand } from './stand.ts'

const HONEST_RECORDS = 1000
const MIB = 2 ** 20

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '10' }
  }
})
const forMs = Number(values.seconds) * 1000

print(
  'attack',
  'p50 before',
  'p50 during',
  'p99 before',
  'p99 during',
  'calls',
  'lost',
  'MiB more',
  'cut off',
  'answers'
)

for (const name of positionals.length === 0 ? attackNames : positionals.map(asAttack)) {
  await measure(name)
}

async function measure(name: AttackName): Promise<void> {
  await using stand = await Stand.start()
  await stand.prepare(HONEST_RECORDS)
  await stand.work(2000)
  const before = await stand.work(forMs)
  const residentBytes = stand.residentBytes()
  await using attacker = await AttackerProcess.start(name, stand.victim.multiaddrs)
  const { during, peakBytes } = await watch(stand)
  const { answers, isConnected } = await attacker.stop()

  print(
    attackCalled(name).what,
    ...[before.medianMs, during.medianMs, before.p99Ms, during.p99Ms].map((ms) => ms.toFixed(1)),
    String(during.calls),
    String(await stand.lost()),
    String(Math.round((peakBytes - residentBytes) / MIB)),
    isConnected ? 'no' : 'yes',
    JSON.stringify(answers)
  )
}

/** Works for a while, and looks at the victim's memory meanwhile. */
async function watch(stand: Stand): Promise<{ during: Latencies; peakBytes: number }> {
  let peakBytes = 0
  const looking = setInterval(() => {
    peakBytes = Math.max(peakBytes, stand.residentBytes())
  }, 100)

  try {
    const during = await stand.work(forMs)
    return { during, peakBytes }
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
