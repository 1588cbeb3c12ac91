import { DHT } from '@waggle/dht'
import type { RunOptions, Scenario, ScenarioResult } from '../../interface.ts'
import { type PeerProcess, peerProcess } from '../../peers/peer-process.ts'
import { resultOf } from './result.ts'
import {
  blocked,
  idling,
  keyOf,
  manyKeys,
  manyRequests,
  storeKeys,
  type TrialFigures,
  tried
} from './trial.ts'

export interface EnduranceSizes {
  readonly idleMs: number
  readonly blockMs: number

  /** To each of the peers, one after the other. */
  readonly requests: number

  /** Asked of each of them, many at once, so that many travel in one request. */
  readonly keysAtOnce: number
}

/** What the streams have to survive. */
export const DEFAULT_ENDURANCE: EnduranceSizes = {
  idleMs: 3_600_000,
  blockMs: 8000,
  requests: 100_000,
  keysAtOnce: 100_000
}

const QUICK: EnduranceSizes = { idleMs: 500, blockMs: 500, requests: 100, keysAtOnce: 100 }
const IN_FLIGHT = 64

/** Takes more than an hour, nearly all of it without doing anything. */
export const endurance: Scenario = enduranceScenario(DEFAULT_ENDURANCE)

/** The same with other sizes. */
export function enduranceScenario(full: EnduranceSizes): Scenario {
  return {
    name: 'endurance',
    title: 'Whether streams live on: after idling, a blocked peer, very many requests',
    run: (options) => run(options.effort === 'full' ? full : QUICK, options)
  }
}

async function run(sizes: EnduranceSizes, { signal, log }: RunOptions): Promise<ScenarioResult> {
  await using processes = new AsyncDisposableStack()
  const peers = await startPeers(processes, signal)
  await using client = await DHT.create({
    clientMode: true,
    initialPeers: peers.flatMap(({ addresses }) => addresses)
  })
  await storeKeys(peers[0].peer)
  // Opens a stream to each of them.
  await client.get(keyOf(0), { latest: true })

  const ordeals = [
    blocked(peers[1].peer, sizes.blockMs),
    manyRequests(sizes.requests, signal),
    manyKeys(sizes.keysAtOnce, { inFlight: IN_FLIGHT, signal }),
    idling(sizes.idleMs, signal)
  ]
  const trials: TrialFigures[] = []

  for (const ordeal of ordeals) {
    trials.push(await tried(client, ordeal))
    log(ordeal.trial)
  }

  return resultOf(trials, peers.length)
}

/** Three, each of which knows those before it. */
async function startPeers(
  processes: AsyncDisposableStack,
  signal: AbortSignal
): Promise<[StartedPeer, StartedPeer, StartedPeer]> {
  const start = async (...known: StartedPeer[]): Promise<StartedPeer> => {
    const peer = processes.use(peerProcess({ signal }))
    const initialPeers = known.flatMap(({ addresses }) => addresses)
    return { peer, addresses: await peer.call('start', { initialPeers }) }
  }
  const first = await start()
  const second = await start(first)

  return [first, second, await start(first, second)]
}

interface StartedPeer {
  readonly peer: PeerProcess
  readonly addresses: readonly string[]
}
