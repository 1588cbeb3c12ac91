import { setTimeout as passed } from 'node:timers/promises'
import { DHT } from '@waggle/dht'
import { type NodesProcess, nodesProcess, storeAll } from '../nodes/nodes-process.ts'
import { all, ms, same, tableOf } from '../result/build.ts'
import type { Goal, RunOptions, Scenario, ScenarioResult } from '../result/result.ts'
import { drive, type Measured } from '../workload/drive.ts'
import { summaryOf, totalOf } from '../workload/statistics.ts'

/** Takes more than an hour, nearly all of it idle. */
export const endurance: Scenario = {
  name: 'endurance',
  title: 'Streams that have to survive an idle hour, a blocked peer, and very many requests.',
  isLong: true,
  run
}

/** Durations, and gets that each trial sends to all peers. */
const SIZES = {
  full: { idleMs: 3_600_000, blockMs: 8000, count: 100_000 },
  quick: { idleMs: 500, blockMs: 500, count: 100 }
}

const PEERS = 3
const KEYS = 100
const IN_FLIGHT = 64

/** Seconds that values live. */
const TTL = 86_400

/** Pause between gets while a peer is blocked, so that there are enough keys. */
const PAUSE_MS = 100

/** Time limit of the first operations after a trial: far below a timeout, and enough for a busy machine. */
const MAX_AFTER_MS = 500

/** A disturbance of the network, and the gets during it. */
type Trial = readonly [name: string, run: () => Promise<readonly Measured[]>]
type Figures = Awaited<ReturnType<typeof measure>>

async function run({ effort, signal, log }: RunOptions): Promise<ScenarioResult> {
  const { idleMs, blockMs, count } = SIZES[effort]
  await using processes = new AsyncDisposableStack()
  const peers: NodesProcess[] = []
  const initialPeers: string[] = []

  for (let i = 0; i < PEERS; i++) {
    const peer = processes.use(nodesProcess({ signal }))
    initialPeers.push(...(await peer.call('start', { options: { initialPeers } })).flat())
    peers.push(peer)
  }

  await using client = await DHT.create({ clientMode: true, initialPeers })
  const keys = Array.from({ length: KEYS }, (_, i) => keyOf(i))
  const entries = keys.map((key) => ({ key, value: key, ttl: TTL }))
  // A peer stores them, because the client must not have them in its cache.
  await storeAll(peers.slice(0, 1), entries, 1)
  // Opens a stream to each peer.
  await get(client, 0, { latest: true })

  const getAll = async (inFlight: number) => [
    await drive((i) => get(client, i, { latest: true, signal }), { count, inFlight })
  ]
  const trials: Trial[] = [
    [
      `a peer blocked for ${blockMs / 1000} s`,
      () => getDuring(client, peers[1]?.call('block', blockMs))
    ],
    [`${count} requests to each peer`, () => getAll(1)],
    [`${count} keys requested from each peer, ${IN_FLIGHT} at once`, () => getAll(IN_FLIGHT)],
    [`idle for ${idleMs / 1000} s`, () => passed(idleMs, [], { signal })]
  ]
  const figures = await Array.fromAsync(trials, ([name, runTrial]) => {
    log(name)
    return measure(client, name, runTrial)
  })

  return { notes: [NOTE], tables: [table(figures)], goals: figures.flatMap(goals) }
}

const NOTE = `A client and ${PEERS} peers that each hold every record run on one machine, a process each. The streams are those of the exchange protocol that the client had opened before; a stream is kept if it is open on the same connection afterwards.`

function keyOf(index: number): string {
  return `key ${index % KEYS}`
}

/** Gets a key, with `latest` from all peers; resolves with whether the answer is right. */
async function get(node: DHT, index: number, options: { latest: boolean; signal?: AbortSignal }) {
  return (await node.get(keyOf(index), options))?.value === keyOf(index)
}

/** Gets each key once while a peer is blocked, so that no answer comes from the cache. */
async function getDuring(node: DHT, block: Promise<void> | undefined): Promise<Measured[]> {
  const measured: Measured[] = []
  let isBlocked = true
  const blocked = block?.finally(() => {
    isBlocked = false
  })

  while (isBlocked && measured.length < KEYS) {
    const next = () => get(node, measured.length, { latest: false })
    measured.push(await drive(next, { count: 1, inFlight: 1 }))
    await passed(PAUSE_MS)
  }

  await blocked
  return measured
}

async function measure(node: DHT, name: string, runTrial: Trial[1]) {
  const before = exchangeStreams(node)
  const start = performance.now()
  const gets = await runTrial()
  const seconds = (performance.now() - start) / 1000
  const afterGet = await drive(() => get(node, 0, { latest: true }), { count: 1, inFlight: 1 })
  const store = () => node.store(keyOf(0), keyOf(0), { ttl: TTL })
  const afterStore = await drive(store, { count: 1, inFlight: 1 })
  const asked = totalOf(gets, ({ latenciesMs }) => latenciesMs.length)

  return {
    ...{ name, seconds, asked, right: asked - totalOf(gets, ({ failed }) => failed.length) },
    slowestMs: asked > 0 ? summaryOf(gets.flatMap(({ latenciesMs }) => latenciesMs)).max : 0,
    streams: before.size,
    kept: before.intersection(exchangeStreams(node)).size,
    getAfterMs: afterGet.elapsedMs,
    storeAfterMs: afterStore.elapsedMs,
    isRightAfter: afterGet.failed.length + afterStore.failed.length === 0
  }
}

/**
 * Returns the open streams on which a node sends requests, under names that distinguish a stream from its
 * successor.
 */
function exchangeStreams({ libp2p }: DHT): Set<string> {
  return new Set(
    libp2p.getConnections().flatMap(({ id: connection, remotePeer, streams }) =>
      streams
        .filter(({ direction, status }) => direction === 'outbound' && status === 'open')
        .filter(({ protocol }) => protocol.startsWith('/waggle/exchange/'))
        .map(({ id }) => `${remotePeer} ${connection} ${id}`)
    )
  )
}

function table(figures: readonly Figures[]) {
  return tableOf('Streams and operations', figures, {
    ...{ trial: 'name', 'took (s)': 'seconds', gets: 'asked', right: 'right' },
    'slowest (ms)': 'slowestMs',
    ...same('streams', 'kept'),
    'first get afterwards (ms)': 'getAfterMs',
    'first store afterwards (ms)': 'storeAfterMs'
  })
}

function goals(figures: Figures): Goal[] {
  const { name, asked, right, streams, kept, getAfterMs, storeAfterMs, isRightAfter } = figures

  return [
    all(`${name}: every stream is kept`, streams === PEERS ? kept : 0, streams),
    {
      text: `${name}: operations succeed at once afterwards`,
      measured: `get ${ms(getAfterMs)}, store ${ms(storeAfterMs)}`,
      isMet: isRightAfter && Math.max(getAfterMs, storeAfterMs) <= MAX_AFTER_MS
    },
    ...(asked > 0 ? [all(`${name}: every get meanwhile is right`, right, asked)] : [])
  ]
}
