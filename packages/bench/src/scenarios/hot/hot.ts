import { Child, nodeCommand } from '../../processes/child.ts'
import { atMost, goal, none, tableOf } from '../../result/build.ts'
import { figure } from '../../result/figure.ts'
import type { RunOptions, Scenario, ScenarioResult } from '../../result/result.ts'
import { summaryOf, totalOf } from '../../workload/statistics.ts'
import type { HotHandlers } from './network-main.ts'

export const hot: Scenario = {
  name: 'hot',
  title: 'Changes of one key that very many watch.',
  run
}

/**
 * Servers, watchers on them, changes; clients that watch, and their changes; and so few places that most watchers need a
 * forwarder.
 */
const SIZES = {
  full: {
    ...{ servers: 40, few: 20, many: 2000, changes: 100, clients: 400, clientChanges: 20 },
    fewPlaces: 10
  },
  quick: {
    ...{ servers: 8, few: 4, many: 16, changes: 3, clients: 12, clientChanges: 2 },
    fewPlaces: 4
  }
}

type Sizes = typeof SIZES.full

/** Peers that a node notifies of one key, on servers and on those of clients. */
const PLACES = 128
const CLIENT_PLACES = 40

/** Maximum factor by which deliveries to many watchers may take longer. */
const MAX_FACTOR = 3

/** Changes that are not measured. */
const WARM_UP = 3
const TIMEOUT_MS = 3_600_000

interface Setting {
  readonly watchers: string
  readonly places: number
  readonly clients: number

  /** Nodes with watchers, and watchers on each. */
  readonly on: number
  readonly each: number
  readonly changes: number
}

type Figures = Setting & Awaited<ReturnType<HotHandlers['measure']>>

async function run({ effort, signal, log }: RunOptions): Promise<ScenarioResult> {
  const sizes = SIZES[effort]
  const figures: Figures[] = []

  for (const setting of settings(sizes)) {
    const command = nodeCommand(new URL('network-main.ts', import.meta.url))
    await using network = new Child<HotHandlers>(command, { signal, timeoutMs: TIMEOUT_MS })
    const { clients, places, on, each, changes } = setting
    await network.call('start', { servers: sizes.servers, clients, places })
    await network.call('watch', { on, each })
    await network.call('measure', WARM_UP)
    figures.push({ ...setting, ...(await network.call('measure', changes)) })
    log(`measured ${setting.watchers} with ${places} places`)
  }

  return resultOf(sizes, figures)
}

function settings({
  fewPlaces,
  servers,
  few,
  many,
  changes,
  clients,
  clientChanges
}: Sizes): Setting[] {
  const onServers = { clients: 0, on: servers, each: many / servers, changes }
  const watchers = `${many} on ${servers} servers`
  return [
    { ...onServers, watchers: `${few} on ${few} servers`, places: PLACES, on: few, each: 1 },
    { ...onServers, watchers, places: PLACES },
    { ...onServers, watchers, places: fewPlaces },
    {
      ...{ watchers: `${clients} clients`, places: CLIENT_PLACES },
      ...{ clients, on: clients, each: 1, changes: clientChanges }
    }
  ]
}

function resultOf({ servers }: Sizes, figures: readonly Figures[]): ScenarioResult {
  const [few, ...many] = figures.map(({ timesMs }) => summaryOf(timesMs).p95)
  const factors = many.slice(0, 2).map((p95) => p95 / (few ?? Number.NaN))

  return {
    notes: [
      `${servers} servers run in one process, connected in memory; clients run in the same process. All watch one key, which changes again and again, each time when all have heard of the last change. Times run from the call of store. Places are the peers that a node notifies of one key, besides as many forwarders. The times of clients are those of one thread that does all that they do, too.`
    ],
    tables: [
      tableOf('Deliveries of a change', figures, {
        ...{ watchers: 'watchers', places: 'places', forwarders: 'forwarders' },
        'notified by one node at most': 'most',
        'notified by all': 'subscriptions',
        'p50 (ms)': ({ timesMs }) => summaryOf(timesMs).p50,
        'p95 (ms)': ({ timesMs }) => summaryOf(timesMs).p95,
        'last (ms)': ({ timesMs }) => summaryOf(timesMs).max,
        missed: 'missed'
      })
    ],
    goals: [
      none(
        'every watcher has every final state',
        totalOf(figures, ({ missed }) => missed),
        totalOf(figures, ({ on, each, changes }) => on * each * changes)
      ),
      goal(
        `p95 with many watchers: at most ${MAX_FACTOR} × that with few`,
        Math.max(...factors),
        atMost(MAX_FACTOR),
        () => factors.map((factor) => `× ${figure(factor)}`).join(', with forwarders ')
      ),
      goal(
        'no node notifies more peers than it has places for',
        Math.max(...figures.map(({ most, places }) => most / (2 * places))),
        atMost(1),
        (share) => `${figure(100 * share)} % of them at most`
      )
    ]
  }
}
