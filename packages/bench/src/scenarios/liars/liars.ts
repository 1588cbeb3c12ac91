import { CalledProcess } from '../../calls/called-process.ts'
import type { RunOptions, Scenario, ScenarioResult } from '../../interface.ts'
import { LIES, type Lie } from './liar.ts'
import type { Readings } from './lying-network.ts'
import type { LyingCalls } from './network-main.ts'
import { resultOf } from './result.ts'
import { type EclipseFigures, measureEclipses } from './sybils.ts'

export interface LiarSizes {
  readonly nodes: number

  /** Which part of them lies. */
  readonly shares: readonly number[]

  /** Records that are stored twice and read, for each kind of lie and share. */
  readonly reads: number

  /** Of the simulation: nodes in the network, and keys. */
  readonly simulated: number
  readonly keys: number
}

/** What honest peers read among so many liars of one kind. */
export interface LiarFigures extends Readings {
  readonly lie: Lie
  readonly share: number
}

const FULL: LiarSizes = {
  nodes: 64,
  shares: [0, 0.1, 0.2, 0.3, 0.4, 0.5],
  reads: 500,
  simulated: 1000,
  keys: 500
}

const QUICK: LiarSizes = { nodes: 8, shares: [0, 0.3], reads: 20, simulated: 64, keys: 20 }

export const liars: Scenario = {
  name: 'liars',
  title: 'Whether honest peers read what was stored last while others lie',
  run: (options) => run(options.effort === 'full' ? FULL : QUICK, options)
}

async function run(sizes: LiarSizes, { signal, log }: RunOptions): Promise<ScenarioResult> {
  const figures: LiarFigures[] = []

  for (const lie of LIES) {
    figures.push(...(await measure(lie, sizes, { signal })))
    log(`${lie}: ${figures.filter((each) => each.lie === lie).map(({ right }) => right)}`)
  }

  const eclipses: EclipseFigures = await measureEclipses(sizes)
  return resultOf(sizes, figures, eclipses)
}

/** A network for each kind, in a process of its own. */
async function measure(
  lie: Lie,
  { nodes, shares, reads }: LiarSizes,
  { signal }: { signal: AbortSignal }
): Promise<LiarFigures[]> {
  await using network = new CalledProcess<LyingCalls>(
    new URL('./network-main.ts', import.meta.url),
    { signal }
  )
  await network.call('start', nodes)
  const figures: LiarFigures[] = []

  for (const share of shares) {
    const liars = Math.round(share * nodes)
    figures.push({ lie, share, ...(await network.call('measure', { lie, liars, reads })) })
  }

  return figures
}
