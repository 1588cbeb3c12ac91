import { recordKey } from '@waggle/record'
import { sample, seededRandom } from '../../workload/random.ts'
import { Rounds } from '../growth/simulated/rounds.ts'
import { simulatedClient } from '../growth/simulated/simulated-client.ts'
import { SimulatedNetwork, type SimulatedNode } from '../growth/simulated/simulated-network.ts'
import type { LiarSizes } from './liars.ts'

/** How many of the keys could be read. */
export interface EclipseFigure {
  /** Which part of all nodes is the attacker's, or how many that are nearest to each key. */
  readonly attackers: number
  readonly read: number
  readonly keys: number
}

export interface EclipseFigures {
  /** The attacker's ids are anywhere. */
  readonly anywhere: readonly EclipseFigure[]

  /** The attacker has made ids until some were nearer to the key than all others. */
  readonly nearest: readonly EclipseFigure[]
}

const SHARES = [0.1, 0.3, 0.5, 0.7, 0.9]
const NEAREST = [1, 2, 3, 4, 5, 10]
const SEED = 5

/** Networks in which an attacker's nodes accept everything, hold nothing, and name only each other. */
export async function measureEclipses(sizes: LiarSizes): Promise<EclipseFigures> {
  const anywhere: EclipseFigure[] = []
  const nearest: EclipseFigure[] = []

  for (const share of SHARES) {
    anywhere.push(
      await measure(sizes, share, ({ network, random }) => {
        const count = Math.round(share * sizes.simulated)
        const chosen = new Set(sample(network.nodes, count, random))
        return () => chosen
      })
    )
  }

  for (const count of NEAREST) {
    nearest.push(
      await measure(sizes, count, ({ network }) => (key) => {
        return new Set(network.trulyNearest(recordKey(key), count))
      })
    )
  }

  return { anywhere, nearest }
}

type LiarsOf = (key: string) => ReadonlySet<SimulatedNode>

async function measure(
  { simulated, keys }: LiarSizes,
  attackers: number,
  choose: (of: { network: SimulatedNetwork; random: () => number }) => LiarsOf
): Promise<EclipseFigure> {
  const random = seededRandom(SEED)
  const network = new SimulatedNetwork({ size: simulated, shape: 'kad-dht', deadShare: 0, random })
  const liarsOf = choose({ network, random })
  const rounds = new Rounds()
  let read = 0

  for (let i = 0; i < keys; i++) {
    const key = `key ${i}`
    const liars = liarsOf(key)
    const clientOf = () => simulatedClient(network, network.client(), rounds, liars)
    await rounds.cost(() => clientOf().store(key))
    await rounds.cost(async () => {
      read += Number(await clientOf().get(key, { latest: true }))
    })
  }

  return { attackers, read, keys }
}
