import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DHTOptions } from '@waggle/dht'
import { CalledProcess } from '../../calls/called-process.ts'
import { summaryOf } from '../../statistics.ts'
import type { KeeperCalls } from './keeper-main.ts'

export type Durability = NonNullable<DHTOptions['durability']>

/** What a node needs to take in and keep records that nobody else holds. */
export interface KeeperFigure {
  /** Undefined without a disk. */
  readonly durability: Durability | undefined

  /** Stored with `storeMany`. */
  readonly recordsPerSecond: number
  readonly cpuUsPerRecord: number

  /** Stored one after the other. */
  readonly oneByOneMs: number
  readonly firstBytes: number
  readonly fullBytes: number

  /** Of the next start; undefined without a disk. */
  readonly startCpuSeconds: number | undefined
}

export interface KeeperLoad {
  readonly records: number

  /** Of these, stored one by one. */
  readonly oneByOne: number
  readonly rounds: number
}

/** Of each figure the best of all rounds: others use this machine, too. */
export async function leastOfKeepers(
  durability: Durability | undefined,
  load: KeeperLoad,
  options: { readonly signal: AbortSignal }
): Promise<KeeperFigure> {
  const found: KeeperFigure[] = []

  for (let round = 0; round < load.rounds; round++) {
    found.push(await measureKeeper(durability, load, options))
  }

  const least = (figure: (keeper: KeeperFigure) => number): number => Math.min(...found.map(figure))

  return {
    durability,
    recordsPerSecond: -least(({ recordsPerSecond }) => -recordsPerSecond),
    cpuUsPerRecord: least(({ cpuUsPerRecord }) => cpuUsPerRecord),
    oneByOneMs: least(({ oneByOneMs }) => oneByOneMs),
    firstBytes: least(({ firstBytes }) => firstBytes),
    fullBytes: least(({ fullBytes }) => fullBytes),
    startCpuSeconds: durability && least(({ startCpuSeconds = Number.NaN }) => startCpuSeconds)
  }
}

/** Fills a node, and starts it again where it has a disk. */
async function measureKeeper(
  durability: Durability | undefined,
  { records, oneByOne }: Omit<KeeperLoad, 'rounds'>,
  { signal }: { readonly signal: AbortSignal }
): Promise<KeeperFigure> {
  const folder = await mkdtemp(join(tmpdir(), 'waggle-bench-'))
  const options = durability === undefined ? {} : { durability, dataDir: join(folder, 'data') }

  try {
    await using keeper = keeperProcess(signal)
    await keeper.call('start', options)
    const first = await keeper.call('memory', undefined)
    const times = await keeper.call('storeOneByOne', { from: 0, count: oneByOne })
    const count = records - oneByOne
    const { seconds, cpuSeconds } = await keeper.call('storeMany', { from: oneByOne, count })
    const full = await keeper.call('memory', undefined)
    await keeper.call('stop', undefined)

    return {
      durability,
      recordsPerSecond: count / seconds,
      cpuUsPerRecord: (cpuSeconds * 1e6) / count,
      oneByOneMs: summaryOf(times).p50,
      firstBytes: first.rssBytes,
      fullBytes: full.rssBytes,
      startCpuSeconds: durability && (await startAgain(options, { records, signal }))
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function startAgain(
  options: object,
  { records, signal }: { records: number; signal: AbortSignal }
): Promise<number> {
  await using keeper = keeperProcess(signal)
  const { cpuSeconds } = await keeper.call('start', options)
  const found = await keeper.call('records', undefined)

  if (found !== records) {
    throw new Error(`the node came back with ${found} of ${records} records`)
  }

  await keeper.call('stop', undefined)
  return cpuSeconds
}

function keeperProcess(signal: AbortSignal): CalledProcess<KeeperCalls> {
  return new CalledProcess<KeeperCalls>(new URL('./keeper-main.ts', import.meta.url), {
    signal,
    flags: ['--expose-gc']
  })
}
