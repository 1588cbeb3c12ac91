import type { Goal } from '../../interface.ts'
import { meanOf, significant, summaryOf } from '../../statistics.ts'
import type { RealFigures } from './real/measure-real.ts'
import type { SimulatedFigures } from './simulated/measure-simulated.ts'

const MOST_HOPS = 4
const NODES_OF_HOPS = 10_000
const MOST_IDLE_PERCENT = 1

export function goalsOf(
  real: readonly RealFigures[],
  simulated: readonly SimulatedFigures[]
): Goal[] {
  return [
    ...(['kad-dht', 'kademlia'] as const).map((shape) =>
      growthGoal(
        `simulated, ${shape} tables`,
        healthy(simulated, shape).map(({ size, get: { costs } }) => ({
          nodes: size,
          messages: meanOf(costs.map(({ messages }) => messages))
        }))
      )
    ),
    growthGoal(
      'real nodes',
      real.map(({ nodes, operations }) => ({
        nodes,
        messages: operations.find(({ operation }) => operation === 'get')?.messages ?? Number.NaN
      }))
    ),
    hopsGoal(simulated),
    idleGoal(real)
  ]
}

interface Point {
  readonly nodes: number
  readonly messages: number
}

/** From the smallest network to each larger one, they may grow by as much as its logarithm does. */
function growthGoal(which: string, points: readonly Point[]): Goal {
  const text = `messages of a get grow no faster than log N (${which})`
  const [first] = points
  const last = points.at(-1)

  if (first === undefined || last === undefined || first === last) {
    return { text, measured: 'one size only', isMet: undefined }
  }

  const excess = points.map(({ nodes, messages }) => {
    const logarithms = Math.log(nodes) / Math.log(first.nodes)
    return messages / first.messages / logarithms
  })
  const factor = last.messages / first.messages
  const logFactor = Math.log(last.nodes) / Math.log(first.nodes)

  return {
    text,
    measured: `${significant(first.messages)} at ${first.nodes}, ${significant(last.messages)} at ${last.nodes}: × ${significant(factor)}, log N × ${significant(logFactor)}`,
    isMet: excess.every((each) => each <= 1)
  }
}

function hopsGoal(simulated: readonly SimulatedFigures[]): Goal {
  const text = `hops of a get among ${NODES_OF_HOPS} nodes: at most ${MOST_HOPS}`
  const figures = (['kad-dht', 'kademlia'] as const).flatMap((shape) =>
    healthy(simulated, shape).filter(({ size }) => size === NODES_OF_HOPS)
  )

  if (figures.length === 0) {
    return { text, measured: `not simulated with ${NODES_OF_HOPS} nodes`, isMet: undefined }
  }

  const most = figures.map(({ shape, get: { costs } }) => ({
    shape,
    hops: summaryOf(costs.map(({ hops }) => hops)).max
  }))
  return {
    text,
    measured: most.map(({ shape, hops }) => `${hops} with ${shape} tables`).join(', '),
    isMet: most.every(({ hops }) => hops <= MOST_HOPS)
  }
}

function idleGoal(real: readonly RealFigures[]): Goal {
  const text = `a node idles under ${MOST_IDLE_PERCENT} % of a core`
  const idling = real.flatMap(({ nodes, idle }) =>
    idle ? [{ nodes, percent: (100 * idle.share) / nodes }] : []
  )

  if (idling.length === 0) {
    return { text, measured: 'not measured', isMet: undefined }
  }

  return {
    text: `${text}, of ${idling.map(({ nodes }) => nodes).join(' and ')}`,
    measured: idling.map(({ percent }) => `${significant(percent)} %`).join(' and '),
    isMet: idling.every(({ percent }) => percent < MOST_IDLE_PERCENT)
  }
}

function healthy(
  simulated: readonly SimulatedFigures[],
  wanted: SimulatedFigures['shape']
): SimulatedFigures[] {
  return simulated.filter(({ shape, deadShare }) => shape === wanted && deadShare === 0)
}
