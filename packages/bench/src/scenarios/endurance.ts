import { setTimeout as passed } from 'node:timers/promises'
import { DHT, getDHTTime } from '@waggle/dht'
import { type NodesProcess, nodesProcess } from '../nodes/nodes-process.ts'
import { all, ms, same, tableOf } from '../result/build.ts'
import type { Goal, RunOptions, Scenario, ScenarioResult } from '../result/result.ts'
import { atOnce } from '../workload/drive.ts'

/** Takes more than an hour, nearly all of it idle. */
export const endurance: Scenario = {
  name: 'endurance',
  title: 'Streams that have to survive an idle hour, a blocked peer, and very many requests.',
  isLong: true,
  run
}

/** Times, and gets that each trial sends to all peers. */
const SIZES = {
  full: { idleMs: 3_600_000, blockMs: 8000, gets: 100_000 },
  quick: { idleMs: 500, blockMs: 500, gets: 100 }
} as const

const PEERS = 3
const KEYS = 100
const IN_FLIGHT = 64

/** Seconds that values live. */
const TTL = 86_400

/** Pause between gets while a peer is blocked, so that there are enough keys. */
const PAUSE_MS = 100

/** Time limit of the first operations after a trial: far below a timeout, and enough for a busy machine. */
const MAX_AFTER_MS = 500

type Trial = readonly [name: string, run: (gets: Gets) => Promise<void>]
type Figures = Awaited<ReturnType<typeof measure>>

async function run({ effort, signal, log }: RunOptions): Promise<ScenarioResult> {
  const { idleMs, blockMs, gets: count } = SIZES[effort]
  await using processes = new AsyncDisposableStack()
  const peers: NodesProcess[] = []
  const initialPeers: string[] = []

  for (let i = 0; i < PEERS; i++) {
    const peer = processes.use(nodesProcess({ signal }))
    initialPeers.push(...(await peer.call('start', { options: { initialPeers } })).flat())
    peers.push(peer)
  }

  await using client = await DHT.create({ clientMode: true, initialPeers })
  await storeKeys(peers[0] as NodesProcess)
  // Opens a stream to each peer.
  await client.get(keyOf(0), { latest: true })

  const trials: Trial[] = [
    [
      `a peer blocked for ${blockMs / 1000} s`,
      (gets) => getDuring((peers[1] as NodesProcess).call('block', blockMs), gets)
    ],
    [`${count} requests to each peer`, (gets) => gets.many(count, 1, signal)],
    [
      `${count} keys requested from each peer, ${IN_FLIGHT} at once`,
      (gets) => gets.many(count, IN_FLIGHT, signal)
    ],
    [`idle for ${idleMs / 1000} s`, () => passed(idleMs, undefined, { signal })]
  ]
  const figures: Figures[] = []

  for (const trial of trials) {
    figures.push(await measure(client, trial))
    log(trial[0])
  }

  return { notes: [NOTE], tables: [table(figures)], goals: figures.flatMap(goals) }
}

const NOTE = `A client and ${PEERS} peers that each hold every record run on one machine, a process each. The streams are those of the exchange protocol that the client had opened before; a stream is kept if it is open on the same connection afterwards.`

function keyOf(index: number): string {
  return `key ${index % KEYS}`
}

/** Has a peer store all keys: the client must not know them already. */
async function storeKeys(peer: NodesProcess): Promise<void> {
  const expirationTime = getDHTTime() + TTL

  for (let i = 0; i < KEYS; i++) {
    if (!(await peer.call('store', { key: keyOf(i), value: keyOf(i), expirationTime }))) {
      throw new Error(`${keyOf(i)} was not stored`)
    }
  }
}

/** Gets one key after another and counts right answers. */
class Gets {
  readonly #node: DHT
  asked = 0
  right = 0
  slowestMs = 0

  constructor(node: DHT) {
    this.#node = node
  }

  /** Gets the next key, with `latest` from all peers. */
  async get(latest: boolean): Promise<void> {
    const key = keyOf(this.asked++)
    const start = performance.now()

    try {
      const found = await this.#node.get(key, { latest })
      this.right += Number(found?.value === key)
    } finally {
      this.slowestMs = Math.max(this.slowestMs, performance.now() - start)
    }
  }

  async many(count: number, inFlight: number, signal: AbortSignal): Promise<void> {
    await atOnce(inFlight, async () => {
      signal.throwIfAborted()

      if (this.asked >= count) {
        return false
      }

      await this.get(true)
      return true
    })
  }
}

/** Gets each key once while a peer is blocked, so that no answer comes from the cache. */
async function getDuring(block: Promise<void>, gets: Gets): Promise<void> {
  let isBlocked = true
  const blocked = block.finally(() => {
    isBlocked = false
  })

  while (isBlocked && gets.asked < KEYS) {
    await gets.get(false)
    await passed(PAUSE_MS)
  }

  await blocked
}

async function measure(node: DHT, [name, run]: Trial) {
  const before = exchangeStreams(node)
  const gets = new Gets(node)
  const start = performance.now()
  await run(gets)
  const tookMs = performance.now() - start

  const after = new Gets(node)
  await after.get(true)
  const storing = performance.now()
  const isStored = await node.store(keyOf(0), keyOf(0), { ttl: TTL })

  return {
    ...{ name, seconds: tookMs / 1000, asked: gets.asked, right: gets.right },
    slowestMs: gets.slowestMs,
    streams: before.size,
    kept: before.intersection(exchangeStreams(node)).size,
    getAfterMs: after.slowestMs,
    storeAfterMs: performance.now() - storing,
    isRightAfter: after.right === 1 && isStored
  }
}

/** Returns the open streams on which a node sends requests, under names that tell one from its successor. */
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
    trial: 'name',
    'took (s)': 'seconds',
    gets: 'asked',
    right: 'right',
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
