import { NO_SEPARATE_HOST } from '../../processes/separate-host.ts'
import { atLeast, atMost, goal, ms, none } from '../../result/build.ts'
import { figure } from '../../result/figure.ts'
import type { Goal } from '../../result/result.ts'
import type { Latency } from '../../workload/drive.ts'
import { type Figures, goneOf, type Outcome } from './figures.ts'
import type { Plan } from './measure.ts'

/** Keys of the bulk calls that have goals. A quick run uses fewer. */
const MANY = 10_000

/** Compares Waggle with its goals. */
export function goals(outcome: Outcome): Goal[] {
  const { systems } = outcome
  const waggle = systems.find(({ name }) => name === 'waggle') as Figures

  return [
    ...singleGoals(waggle, outcome),
    ...rateGoals(waggle, outcome),
    ...lossGoals('killed, connections reset', waggle.crash, { ...outcome.plan, limitMs: 1.5 }),
    ...lossGoals('vanish, their packets lost', outcome.vanished, {
      ...outcome.plan,
      limitMs: 1_000
    })
  ]
}

function singleGoals(waggle: Figures, { systems, bare, layered }: Outcome): Goal[] {
  const above = (operation: 'store' | 'get') => (value: number) => times(value, bare[operation])
  const faster = (operation: 'store' | 'get' | 'miss', name: string, factor = 1): Goal => {
    const other = systems.find((each) => each.name === name)
    return race(operation, waggle, other, factor)
  }

  return [
    goal(
      "get, one by one: p50 at most 4 × a request on libp2p's own stream",
      waggle.get?.p50Ms,
      atMost(4 * (bare.get?.p50Ms ?? 0)),
      above('get')
    ),
    ...['opendht', 'hyperdht', 'hyperdht-immutable'].map((name) => faster('get', name)),
    faster('get', 'kad', 100),
    goal(
      'get with latest, one by one: p50 at most 1.5 ms',
      waggle.latest?.p50Ms,
      atMost(1.5),
      above('store')
    ),
    goal(
      "store, one by one: p50 at most twice a request to 5 peers on streams with Waggle's layers",
      waggle.store?.p50Ms,
      atMost(2 * (layered.store?.p50Ms ?? 0)),
      (value) => times(value, layered.store)
    ),
    faster('miss', 'opendht'),
    faster('store', 'opendht'),
    faster('store', 'hyperdht', 2),
    faster('store', 'kad', 100)
  ]
}

function rateGoals({ stores, gets, bulk = [] }: Figures, { plan, layered }: Outcome): Goal[] {
  const inFlight = `${plan.depth} in flight`
  const many = (operation: string) =>
    bulk.find(({ by, keys }) => by === operation && keys === MANY)?.rate
  const count = (which: 'failed' | 'count') => (stores?.[which] ?? 0) + (gets?.[which] ?? 0)

  return [
    shareGoal(
      `${inFlight}: gets at least 55 % of requests with Waggle's layers`,
      0.55,
      gets,
      layered.gets
    ),
    shareGoal(`${inFlight}: stores at least 45 % of them`, 0.45, stores, layered.stores),
    none(`${inFlight}: none fails`, count('failed'), count('count')),
    rateGoal('getMany of 10,000: 60,000 keys/s', 60_000, many('getMany')),
    rateGoal('storeMany of 10,000, on 5 replicas each: 20,000 keys/s', 20_000, many('storeMany'))
  ]
}

function lossGoals(
  how: string,
  latency: Latency | undefined,
  { limitMs, ...plan }: Plan & { limitMs: number }
): Goal[] {
  const [nodes, next] = [`${goneOf(plan)} nodes ${how}`, `the next ${plan.afterFailure} gets`]
  const { p95Ms = NO_SEPARATE_HOST, failed = NO_SEPARATE_HOST, count } = latency ?? {}

  return [
    goal(`${nodes}: ${next} p95 at most ${ms(limitMs)}`, p95Ms, atMost(limitMs), ms),
    none(`${nodes}: none of ${next} fails`, failed, count)
  ]
}

/** Shows a value as a multiple of bare requests. */
function times(value: number, { p50Ms }: Partial<Latency> = {}): string {
  return `${ms(value)} = ${figure(value / (p50Ms ?? Number.NaN))} × ${ms(p50Ms ?? Number.NaN)}`
}

function rateGoal(text: string, limit: number, rate: number | undefined): Goal {
  return goal(text, rate, atLeast(limit), (value) => `${figure(value)} per second`)
}

/** Compares a rate with that of bare requests. */
function shareGoal(text: string, limit: number, own?: Latency, bare?: Latency): Goal {
  const bareRate = bare?.rate ?? Number.NaN
  const show = (rate: number): string =>
    `${figure((100 * rate) / bareRate)} % (${figure(rate)} of ${figure(bareRate)} per second)`
  return goal(text, own?.rate, atLeast(limit * bareRate), show)
}

/** Compares Waggle with another system. */
function race(
  operation: 'store' | 'get' | 'miss',
  waggle: Figures,
  other: Figures | undefined,
  factor: number
): Goal {
  const own = waggle[operation]?.p50Ms ?? Number.NaN
  const title = other?.title.split(':')[0] ?? 'another system'

  return goal(
    `${operation}, one by one: p50 ${factor === 1 ? 'no slower' : `${factor} × faster`} than ${title}`,
    other?.[operation]?.p50Ms ?? other?.title,
    (value) => value / own >= factor,
    (value) => `${figure(value / own)} × as fast (${ms(own)}; ${title} ${ms(value)})`
  )
}
