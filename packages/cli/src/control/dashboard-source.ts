import { cachedFor } from '../cached-for.ts'
import type { CallFigures } from './call-figures.ts'
import { Connections, type PeerConnection } from './connections.ts'
import { type HealthInit, healthOf, type Remark } from './health.ts'
import { recordsOnRing } from './held-records.ts'
import { History, type Sample } from './history.ts'
import { type NodeEvent, NodeEvents } from './node-events.ts'
import { type Overview, type OverviewInit, overviewOf } from './overview.ts'

/** The state of a node, for its dashboard. */
export interface DashboardState {
  /** Without records, which are read page by page. */
  readonly overview: Overview
  readonly sample: Sample
  readonly health: readonly Remark[]
  readonly calls: readonly CallFigures[]
  readonly connections: readonly PeerConnection[]

  /** Records in equal parts of the ring, from 0 to 1. */
  readonly ring: readonly number[]
  readonly events: readonly NodeEvent[]
}

export interface DashboardSourceInit extends OverviewInit {
  readonly calls: () => Promise<readonly CallFigures[]>
}

/** Parts of the ring that records are counted in. */
const RING_PARTS = 120

/** Milliseconds for which the counts of records on the ring are reused. */
const RING_MAX_AGE_MS = 10_000

/** Gathers the state of a node for its dashboard. */
export class DashboardSource implements Disposable {
  readonly #init: DashboardSourceInit
  readonly #connections: Connections
  readonly #events: NodeEvents
  readonly #history: History
  readonly #ring: () => Promise<number[]>

  constructor(init: DashboardSourceInit) {
    const { dht } = init
    this.#init = init
    this.#connections = new Connections(dht)
    this.#events = new NodeEvents(dht)
    this.#history = new History(async () => sampleOf(await overviewOf(init, 0), await init.calls()))
    this.#ring = cachedFor(RING_MAX_AGE_MS, () => recordsOnRing(dht, RING_PARTS))
  }

  /** The node's figures so far, oldest first. */
  get samples(): readonly Sample[] {
    return this.#history.samples
  }

  async state(): Promise<DashboardState> {
    const [overview, calls, connections, ring] = await Promise.all([
      overviewOf(this.#init, 0),
      this.#init.calls(),
      this.#connections.list(),
      this.#ring()
    ])
    const sample = sampleOf(overview, calls)
    const health: HealthInit = { ...overview, samples: [...this.samples, sample] }
    const events = this.#events.list
    return { overview, sample, health: healthOf(health), calls, connections, ring, events }
  }

  [Symbol.dispose](): void {
    this.#history[Symbol.dispose]()
  }
}

function sampleOf({ counters, stats }: Overview, calls: readonly CallFigures[]): Sample {
  const { keys, refused, writes } = stats.served
  return {
    time: Date.now() / 1000,
    records: stats.records,
    bytes: stats.bytes,
    peers: stats.peers,
    cpuSeconds: counters.cpuSeconds,
    receivedBytes: counters.receivedBytes ?? 0,
    sentBytes: counters.sentBytes ?? 0,
    servedKeys: Object.values(keys).reduce((sum, count) => sum + count, 0),
    calls: calls.reduce((sum, { count }) => sum + count, 0),
    busy: refused.busy,
    full: writes.full,
    replicasFull: counters.replicasFull ?? 0
  }
}
