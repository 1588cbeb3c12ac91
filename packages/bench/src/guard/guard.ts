import { Child, nodeCommand } from '../processes/child.ts'
import { tableText } from '../report/text.ts'
import { tableOf } from '../result/build.ts'
import type { RunOptions } from '../result/result.ts'
import { checkOut, HERE } from './checkout.ts'
import { type Comparison, compare } from './compare.ts'
import type { Turn, WorkerHandlers } from './worker-main.ts'

/** Servers of each process: more than a record has replicas. */
const SERVERS = [4, 4]

/** Time after which no further pair of turns starts: the whole run is to take less than five minutes. */
const BUDGET_MS = 285_000

/** Pairs of turns at least, and at most. */
const MIN_PAIRS = 4
const MAX_PAIRS = 9
const WORKER = new URL('worker-main.ts', import.meta.url)

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

/** Gives the sides their turns until the time is up: A B, B A, A B, … so that a drift of the machine favours neither. */
async function takeTurns(
  sides: readonly [Side, Side],
  deadline: number,
  { signal, log }: Pick<RunOptions, 'signal' | 'log'>
): Promise<void> {
  // The first turns pay for Node's compile cache, so they do not count.
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

/** Starts a network from a checkout, and measures everything on it. */
async function takeTurn(entry: string, signal: AbortSignal): Promise<Turn> {
  await using processes = new AsyncDisposableStack()
  const start = () =>
    processes.use(new Child<WorkerHandlers>(nodeCommand(WORKER, entry), { signal }))
  const servers = SERVERS.map(() => start())
  const client = start()
  const initialPeers: string[] = []

  for (const [i, server] of servers.entries()) {
    initialPeers.push(...(await server.call('serve', { count: SERVERS[i] ?? 1, initialPeers })))
  }

  const turn = await client.call('measure', initialPeers)
  return { ...turn, ...(await start().call('coldStart', initialPeers)) }
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
  const verdict =
    slower.length > 0
      ? `Slower beyond noise: ${slower.map(({ figure }) => figure).join('; ')}.`
      : 'Nothing is slower beyond noise.'

  return `${tableText(table, { isPadded: true })}\n\n${pairs} pairs of turns. ${verdict}`
}
