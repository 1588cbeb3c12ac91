import { NO_SEPARATE_HOST } from '../../processes/separate-host.ts'
import { atLeast, atMost, goal, ms, none } from '../../result/build.ts'
import { figure } from '../../result/figure.ts'
import type { Goal } from '../../result/result.ts'
import type { Latency } from '../../workload/drive.ts'
import type { Figures } from './figures.ts'
import { goneOf, type Outcome } from './tables.ts'

/** Keys of the bulk calls that have goals: a quick run has fewer. */
const MANY = 10_000

/** Compares Waggle with its goals. */
export function goals({ plan, floors, systems, vanished }: Outcome): Goal[] {
  const waggle = systems.find(({ name }) => name === 'waggle') as Figures
  const [stock, layered] = floors as [Figures, Figures]
  const p50 = (which: 'store' | 'get' | 'latest') => waggle[which]?.p50Ms
  const faster = (operation: 'store' | 'get', name: string, times = 1): Goal =>
    race(
      operation,
      waggle,
      systems.find((each) => each.name === name),
      times
    )
  const above = (operation: 'store' | 'get') => (value: number) =>
    `${times(value, stock[operation])}; ${times(value, layered[operation])} of streams with Waggle's layers`
  const inFlight = `${plan.depth} in flight`
  const { stores, gets } = waggle
  const loss = (how: string, latency: Latency | undefined, limitMs: number): Goal[] => {
    const [nodes, next] = [`${goneOf(plan)} nodes ${how}`, `the next ${plan.afterFailure} gets`]
    const absent = latency ? undefined : NO_SEPARATE_HOST
    return [
      goal(
        `${nodes}: ${next} p95 at most ${ms(limitMs)}`,
        latency?.p95Ms ?? absent,
        atMost(limitMs),
        ms
      ),
      none(`${nodes}: none of ${next} fails`, latency?.failed ?? absent, latency?.count)
    ]
  }

  return [
    goal(
      "get, one by one: p50 at most 4 × a request on libp2p's own stream",
      p50('get'),
      atMost(4 * (stock.get?.p50Ms ?? 0)),
      above('get')
    ),
    ...['opendht', 'hyperdht', 'hyperdht-immutable'].map((name) => faster('get', name)),
    faster('get', 'kad', 100),
    goal(
      'get with latest, one by one: p50 at most 1.5 ms',
      p50('latest'),
      atMost(1.5),
      above('store')
    ),
    goal(
      "store, one by one: p50 at most 1.3 × a request to 5 peers on libp2p's own streams",
      p50('store'),
      atMost(1.3 * (stock.store?.p50Ms ?? 0)),
      above('store')
    ),
    faster('store', 'opendht'),
    faster('store', 'hyperdht', 2),
    faster('store', 'kad', 100),
    rateGoal(`${inFlight}: 15,000 get/s`, 15_000, gets?.rate, stock.gets),
    rateGoal(`${inFlight}: 5,000 store/s`, 5_000, stores?.rate, stock.stores),
    none(
      `${inFlight}: none fails`,
      (stores?.failed ?? 0) + (gets?.failed ?? 0),
      (stores?.count ?? 0) + (gets?.count ?? 0)
    ),
    rateGoal('getMany of 10,000: 40,000 keys/s', 40_000, bulkRate(waggle, 'getMany')),
    rateGoal(
      'storeMany of 10,000, on 5 replicas each: 10,000 keys/s',
      10_000,
      bulkRate(waggle, 'storeMany')
    ),
    ...loss('killed, connections reset', waggle.crash, 100),
    ...loss('vanish, their packets lost', vanished, 1_000)
  ]
}

/** Shows a value as a multiple of bare requests. */
function times(value: number, { p50Ms }: Partial<Latency> = {}): string {
  return `${ms(value)} = ${figure(value / (p50Ms ?? Number.NaN))} × ${ms(p50Ms ?? Number.NaN)}`
}

function bulkRate({ bulk = [] }: Figures, operation: string): number | undefined {
  return bulk.find(({ by, keys }) => by === operation && keys === MANY)?.rate
}

function rateGoal(text: string, limit: number, rate: number | undefined, bare?: Latency): Goal {
  const beside = bare ? ` (bare: ${figure(bare.rate)})` : ''
  return goal(text, rate, atLeast(limit), (value) => `${figure(value)} per second${beside}`)
}

/** Compares Waggle with another system. */
function race(
  operation: 'store' | 'get',
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
