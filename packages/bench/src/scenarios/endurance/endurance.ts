import { DHT } from '@waggle/dht'
import type { RunOptions, Scenario, ScenarioResult } from '../../interface.ts'
import { type PeerProcess, peerProcess } from '../../peers/peer-process.ts'
import { resultOf } from './result.ts'
import { blocked, idling, manyRequests, storeKeys, type TrialFigures, tried } from './trial.ts'

export interface EnduranceSizes {
  readonly idleMs: number
  readonly blockMs: number

  /** To each of the peers, more or less. */
  readonly requests: number
}

/** What the streams have to survive. */
export const DEFAULT_ENDURANCE: EnduranceSizes = {
  idleMs: 3_600_000,
  blockMs: 8000,
  requests: 100_000
}

const QUICK: EnduranceSizes = { idleMs: 500, blockMs: 500, requests: 100 }
const SERVERS = 3
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
  await storeKeys(client)

  const ordeals = [
    ...peers.slice(-1).map(({ peer }) => blocked(peer, sizes.blockMs)),
    manyRequests(SERVERS * sizes.requests, { inFlight: IN_FLIGHT, signal }),
    idling(sizes.idleMs, signal)
  ]
  const trials: TrialFigures[] = []

  for (const ordeal of ordeals) {
    trials.push(await tried(client, ordeal))
    log(ordeal.trial)
  }

  return resultOf(trials, SERVERS)
}

async function startPeers(
  processes: AsyncDisposableStack,
  signal: AbortSignal
): Promise<{ peer: PeerProcess; addresses: string[] }[]> {
  const peers: { peer: PeerProcess; addresses: string[] }[] = []

  for (let i = 0; i < SERVERS; i++) {
    const peer = processes.use(peerProcess({ signal }))
    const initialPeers = peers.flatMap(({ addresses }) => addresses)
    peers.push({ peer, addresses: await peer.call('start', { initialPeers }) })
  }

  return peers
}
