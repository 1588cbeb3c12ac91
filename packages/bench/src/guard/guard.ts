import { tableText } from '../report/text.ts'
import { tableOf } from '../result/build.ts'
import type { RunOptions } from '../result/result.ts'
import { checkOut, HERE } from './checkout.ts'
import { type Comparison, compare } from './compare.ts'
import { type Turn, takeTurn } from './turn.ts'

/** Time after which no further pair of turns starts: the whole run is to take less than five minutes. */
const BUDGET_MS = 285_000

/** Minimum and maximum number of pairs of turns. */
const MIN_PAIRS = 4
const MAX_PAIRS = 9

interface Side {
  readonly name: string

  /** Entry file of `@waggle/dht`. */
  readonly entry: string
  readonly turns: Turn[]
}

/** Compares this checkout with a commit. Resolves with 1 if anything is slower beyond noise, and 0 otherwise. */
export async function guard(
  commit: string,
  out: (line: string) => void,
  { signal, log }: Pick<RunOptions, 'signal' | 'log'>
): Promise<number> {
  const deadline = performance.now() + BUDGET_MS
  log(`checks out ${commit}`)
  using base = checkOut(commit)
  const before: Side = { name: commit, entry: base.entry, turns: [] }
  const now: Side = { name: 'this checkout', entry: HERE, turns: [] }
  await takeTurns([before, now], deadline, { signal, log })
  const comparisons = compare(before.turns, now.turns)
  out(describe(comparisons, commit, now.turns.length))

  return comparisons.some(({ verdict }) => verdict === 'slower') ? 1 : 0
}

/** Runs the sides' turns until the time is up: A B, B A, A B, … so that a drift of the machine favours neither. */
async function takeTurns(
  sides: readonly [Side, Side],
  deadline: number,
  { signal, log }: Pick<RunOptions, 'signal' | 'log'>
): Promise<void> {
  // The first turns fill Node's compile cache, so they do not count.
  for (const { name, entry } of sides) {
    log(`warm-up: ${name}`)
    await takeTurn(entry, signal)
  }

  for (let pair = 0, pairMs = 0; pair < MAX_PAIRS; pair++) {
    const start = performance.now()

    if (pair >= MIN_PAIRS && start + pairMs > deadline) {
      return
    }

    for (const { name, entry, turns } of pair % 2 === 0 ? sides : sides.toReversed()) {
      log(`pair ${pair + 1}: ${name}`)
      turns.push(await takeTurn(entry, signal))
    }

    pairMs = performance.now() - start
  }
}

function describe(comparisons: readonly Comparison[], commit: string, pairs: number): string {
  const table = tableOf(commit, comparisons, {
    figure: 'figure',
    [commit]: 'before',
    'this checkout': 'now',
    'ratio (×)': 'ratio',
    'noise (± %)': ({ noise }) => 100 * noise,
    verdict: 'verdict'
  })
  const slower = comparisons.filter(({ verdict }) => verdict === 'slower')
  const names = slower.map(({ figure }) => figure).join('; ') || 'nothing'

  return `${tableText(table, { isPadded: true })}\n\n${pairs} pairs of turns. Slower beyond noise: ${names}.`
}
