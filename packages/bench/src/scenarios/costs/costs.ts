import { CalledProcess } from '../../calls/called-process.ts'
import type { RunOptions, Scenario, ScenarioResult } from '../../interface.ts'
import type { CheckCalls, CheckFigure, CheckLoad } from './checks-main.ts'
import type { ExchangeCalls, ExchangeFigure, ExchangeLoad } from './exchange-main.ts'
import { type KeeperFigure, type KeeperLoad, leastOfKeepers } from './measure-keeper.ts'
import { resultOf } from './result.ts'

export interface CostSizes {
  readonly checks: CheckLoad
  readonly exchange: ExchangeLoad
  readonly keeper: KeeperLoad
}

export interface CostFigures {
  readonly checks: readonly CheckFigure[]
  readonly exchange: readonly ExchangeFigure[]
  readonly keepers: readonly KeeperFigure[]
}

const FULL: CostSizes = {
  checks: { rounds: 9, writes: 4096, slowWrites: 256 },
  exchange: { keys: 4000, rounds: 5 },
  keeper: { records: 100_000, oneByOne: 1000, rounds: 2 }
}

const QUICK: CostSizes = {
  checks: { rounds: 1, writes: 20, slowWrites: 2 },
  exchange: { keys: 20, rounds: 1 },
  keeper: { records: 200, oneByOne: 20, rounds: 1 }
}

const DURABILITIES = [undefined, 'relaxed', 'written', 'synced'] as const

/** What figures of docs/records.md and docs/running.md come from. */
export const costs: Scenario = {
  name: 'costs',
  title: 'What a node spends on records: checking them, signatures and schemas, memory and disk',
  run: (options) => run(options.effort === 'full' ? FULL : QUICK, options)
}

async function run(sizes: CostSizes, { signal, log }: RunOptions): Promise<ScenarioResult> {
  log('checks')
  const checks = await measureChecks(sizes.checks, signal)
  log('the exchange')
  const exchange = await measureExchange(sizes.exchange, signal)
  const keepers: KeeperFigure[] = []

  for (const durability of DURABILITIES) {
    log(`one node, ${durability ?? 'in memory'}`)
    keepers.push(await leastOfKeepers(durability, sizes.keeper, { signal }))
  }

  return resultOf(sizes, { checks, exchange, keepers })
}

async function measureChecks(
  load: CheckLoad,
  signal: AbortSignal
): Promise<readonly CheckFigure[]> {
  const file = new URL('./checks-main.ts', import.meta.url)
  await using measured = new CalledProcess<CheckCalls>(file, { signal })
  return await measured.call('measure', load)
}

async function measureExchange(load: ExchangeLoad, signal: AbortSignal): Promise<ExchangeFigure[]> {
  const file = new URL('./exchange-main.ts', import.meta.url)
  await using measured = new CalledProcess<ExchangeCalls>(file, { signal })
  return await measured.call('measure', load)
}
