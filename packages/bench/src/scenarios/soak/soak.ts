import { CalledProcess } from '../../calls/called-process.ts'
import type { RunOptions, Scenario, ScenarioResult } from '../../interface.ts'
import { total, totalOf } from '../../statistics.ts'
import type { HostState } from './host.ts'
import type { HostCalls } from './host-main.ts'
import { resultOf } from './result.ts'

export interface SoakSizes {
  readonly hosts: number

  /** In each host's process. */
  readonly nodes: number
  readonly forMs: number

  /** How often memory is looked at, and a node of each host is replaced. */
  readonly everyMs: number

  /** Operations under way in each host. */
  readonly atOnce: number
}

/** What all hosts' processes were in, at one time. */
export interface Look {
  readonly afterMs: number
  readonly hosts: readonly HostState[]
}

/** `WAGGLE_SOAK_MINUTES` makes it shorter, or longer. */
const { WAGGLE_SOAK_MINUTES: MINUTES = '30' } = process.env

const FULL: SoakSizes = {
  hosts: 4,
  nodes: 4,
  forMs: Number(MINUTES) * 60_000,
  everyMs: 20_000,
  atOnce: 4
}

const QUICK: SoakSizes = { hosts: 2, nodes: 2, forMs: 4000, everyMs: 1000, atOnce: 2 }

/** Takes half an hour. */
export const soak: Scenario = {
  name: 'soak',
  title: 'Whether memory and handles stay where they are under mixed load, while peers come and go',
  run: (options) => run(options.effort === 'full' ? FULL : QUICK, options)
}

async function run(sizes: SoakSizes, { signal, log }: RunOptions): Promise<ScenarioResult> {
  await using stack = new AsyncDisposableStack()
  const hosts = Array.from({ length: sizes.hosts }, () =>
    stack.use(
      new CalledProcess<HostCalls>(new URL('./host-main.ts', import.meta.url), {
        signal,
        flags: ['--expose-gc']
      })
    )
  )
  const initialPeers: string[] = []

  for (const [seed, host] of hosts.entries()) {
    const { nodes } = sizes
    initialPeers.push(...(await host.call('start', { nodes, initialPeers, seed })))
  }

  const looks = await soaked(hosts, sizes, (look) => log(lineOf(look)))
  await Promise.all(hosts.map((host) => host.call('stop', undefined)))
  const atEnd = await look(hosts, sizes.forMs)
  return resultOf(sizes, looks, atEnd)
}

/** Has all of them work, and looks at them now and then. */
async function soaked(
  hosts: readonly CalledProcess<HostCalls>[],
  { forMs, everyMs, atOnce }: SoakSizes,
  onLook: (look: Look) => void
): Promise<Look[]> {
  const startMs = performance.now()
  const looks: Look[] = []

  for (let turn = 0; performance.now() - startMs < forMs; turn++) {
    const replaced = hosts[turn % hosts.length]
    await Promise.all([
      replaced?.call('replace', undefined),
      ...hosts.map((host) => host.call('work', { forMs: everyMs, atOnce }))
    ])
    const next = await look(hosts, performance.now() - startMs)
    looks.push(next)
    onLook(next)
  }

  return looks
}

async function look(hosts: readonly CalledProcess<HostCalls>[], afterMs: number): Promise<Look> {
  return { afterMs, hosts: await Promise.all(hosts.map((host) => host.call('state', undefined))) }
}

function lineOf({ afterMs, hosts }: Look): string {
  const sum = (read: (state: HostState) => number): number => totalOf(hosts, read)
  const handles = sum(({ resources }) => total(Object.values(resources)))
  return `${Math.round(afterMs / 1000)} s: ${Math.round(sum(({ usedBytes }) => usedBytes) / 1e6)} MB, ${handles} handles, ${sum(({ operations }) => operations)} operations, ${sum(({ failures }) => failures)} failed`
}
