import { setTimeout as passed } from 'node:timers/promises'
import type { RunOptions, Scenario, ScenarioResult } from '../../interface.ts'
import { HostApart } from '../../processes/host-apart.ts'
import { total } from '../../statistics.ts'
import { entriesOf } from './entries.ts'
import { Half } from './halves.ts'
import { notMeasured, type PartitionFigures, resultOf } from './result.ts'

export interface PartitionSizes {
  readonly nodesOfHalf: number
  readonly cutMs: number

  /** Values that each half writes before, and while they are apart; and as many dictionaries that both write to. */
  readonly records: number
}

const FULL: PartitionSizes = { nodesOfHalf: 16, cutMs: 60_000, records: 50 }
const QUICK: PartitionSizes = { nodesOfHalf: 2, cutMs: 1500, records: 5 }

/** How long it is watched in the end, whether they grow together or not. */
const PATIENCE_MS = 120_000
const PAUSE_MS = 250

/** Takes some minutes, and root. */
export const partition: Scenario = {
  name: 'partition',
  title: 'Whether two halves that were cut apart and written to become one again',
  run: (options) => run(options.effort === 'full' ? FULL : QUICK, options)
}

async function run(sizes: PartitionSizes, options: RunOptions): Promise<ScenarioResult> {
  const host = await HostApart.start(options)

  if (host === undefined) {
    return notMeasured(sizes)
  }

  try {
    return resultOf(sizes, await cutAndJoin(sizes, host, options))
  } finally {
    host.stop()
  }
}

async function cutAndJoin(
  { nodesOfHalf: nodes, cutMs, records }: PartitionSizes,
  host: HostApart,
  { signal, log }: RunOptions
): Promise<PartitionFigures> {
  await using here = await Half.start({ nodes, address: host.ownAddress, initialPeers: [], signal })
  const initialPeers = here.addresses
  await using there = await Half.start({ nodes, address: host.address, host, initialPeers, signal })
  const halves = [here, there] as const
  await Promise.all(halves.map((half) => half.settled(2 * nodes - 1)))
  const before = entriesOf('whole', records)
  await here.write(before)
  log(`${2 * nodes} nodes`)

  host.pull()
  const mine = entriesOf('near half', records)
  const theirs = entriesOf('far half', records)
  const startMs = performance.now()
  const written = await Promise.all([here.write(mine), there.write(theirs)])
  log('both halves written to')
  await passed(Math.max(0, cutMs - (performance.now() - startMs)), undefined, { signal })
  const apart = await Promise.all([here.missing(mine), there.missing(theirs)])

  host.plug()
  const all = [...before, ...mine, ...theirs]
  const missing = (): Promise<number[]> => Promise.all(halves.map((half) => half.missing(all)))
  const { joinedMs, missingAtEnd } = await watched(missing, { signal, log })
  return {
    entries: all.length,
    writtenApart: mine.length + theirs.length,
    acknowledged: total(written),
    missingApart: total(apart),
    missingAtEnd,
    joinedMs
  }
}

/** Reads everything from everywhere until nothing is missing: so long it took, at most. */
async function watched(
  missing: () => Promise<number[]>,
  { signal, log }: Pick<RunOptions, 'signal' | 'log'>
): Promise<{ joinedMs: number; missingAtEnd: number }> {
  const startMs = performance.now()

  for (;;) {
    const missingAtEnd = total(await missing())
    const joinedMs = performance.now() - startMs
    log(`${missingAtEnd} not found after ${Math.round(joinedMs)} ms`)

    if (missingAtEnd === 0 || joinedMs > PATIENCE_MS) {
      return { joinedMs, missingAtEnd }
    }

    await passed(PAUSE_MS, undefined, { signal })
  }
}
