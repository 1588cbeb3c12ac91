import { goal } from '../../goal.ts'
import type { Goal } from '../../interface.ts'
import { figure } from '../../report/figure.ts'
import { absence } from './absence.ts'
import type { Figures, Latency } from './figures.ts'
import { figuresFor, type Summary } from './summary.ts'
import { goneOf } from './tables.ts'

/** What Waggle is to reach, and whether it did. */
export function goals(found: Summary): Goal[] {
  const waggle = figuresFor(found, 'waggle')

  return waggle === undefined
    ? []
    : [
        ...getGoals(found, waggle),
        ...storeGoals(found, waggle),
        ...inFlightGoals(found, waggle),
        ...bulkGoals(waggle),
        ...failureGoals(found, waggle)
      ]
}

function getGoals(found: Summary, { oneByOne: { get, latest } }: Figures): Goal[] {
  const { stock, layered } = found.floors
  const floor = stock.roundTrip.p50Ms

  return [
    goal("get, one by one: p50 at most 4 × that of a request on libp2p's own stream", {
      value: get?.p50Ms,
      isGood: (value) => value <= 4 * floor,
      show: (value) => aboveFloors(value, [floor, layered.roundTrip.p50Ms])
    }),
    faster(found, { operation: 'get', name: 'opendht' }),
    faster(found, { operation: 'get', name: 'hyperdht' }),
    faster(found, { operation: 'get', name: 'hyperdht-immutable' }),
    faster(found, { operation: 'get', name: 'kad', times: 100 }),
    goal('get with latest, one by one: p50 at most 1.5 ms', {
      value: latest?.p50Ms,
      isGood: (value) => value <= 1.5,
      show: (value) => aboveFloors(value, [stock.fanOut.p50Ms, layered.fanOut.p50Ms])
    })
  ]
}

function storeGoals(found: Summary, { oneByOne: { store } }: Figures): Goal[] {
  const { stock, layered } = found.floors
  const floor = stock.fanOut.p50Ms

  return [
    goal(
      "store, one by one: p50 at most 1.3 × that of a request to 5 peers on libp2p's own streams",
      {
        value: store?.p50Ms,
        isGood: (value) => value <= 1.3 * floor,
        show: (value) => aboveFloors(value, [floor, layered.fanOut.p50Ms])
      }
    ),
    faster(found, { operation: 'store', name: 'opendht' }),
    faster(found, { operation: 'store', name: 'hyperdht', times: 2 }),
    faster(found, { operation: 'store', name: 'kad', times: 100 })
  ]
}

function inFlightGoals(
  { plan, floors: { stock } }: Summary,
  { inFlight: { store, get } }: Figures
): Goal[] {
  const failed = store.failed + get.failed
  const how = `${plan.depth} in flight`

  return [
    atLeast(`${how}: 15,000 get/s`, {
      value: get.rate,
      limit: 15_000,
      show: (value) => `${figure(value)} get/s (bare: ${figure(stock.roundTripInFlight.rate)})`
    }),
    atLeast(`${how}: 5,000 store/s`, {
      value: store.rate,
      limit: 5_000,
      show: (value) => `${figure(value)} store/s (bare: ${figure(stock.fanOutInFlight.rate)})`
    }),
    goal(`${how}: none fails`, {
      value: failed,
      isGood: (value) => value === 0,
      show: (value) => `${value} of ${figure(store.count + get.count)} failed`
    })
  ]
}

/** With libp2p's own streams, and with those that Waggle has. */
function aboveFloors(value: number, [stock, layered]: readonly [number, number]): string {
  const times = (floor: number): string => `${figure(value / floor)} × ${ms(floor)}`
  return `${ms(value)} = ${times(stock)}; ${times(layered)} of streams with the layers of Waggle`
}

/** How many keys the goals are about: a quick run has fewer. */
const MANY = 10_000

function bulkGoals({ bulk }: Figures): Goal[] {
  const [storeMany, getMany] = (['storeMany', 'getMany'] as const).map(
    (operation) => bulk.find((each) => each.operation === operation && each.count === MANY)?.rate
  )
  const show = (value: number): string => `${figure(value)} keys/s`

  return [
    atLeast('getMany of 10,000: 40,000 keys/s', { value: getMany, limit: 40_000, show }),
    atLeast('storeMany of 10,000, on 5 replicas each: 10,000 keys/s', {
      value: storeMany,
      limit: 10_000,
      show
    })
  ]
}

function failureGoals(found: Summary, { afterCrash }: Figures): Goal[] {
  const { vanished } = found
  const gone = `${goneOf(found)} nodes`
  const how = vanished.how === 'dropped' ? 'vanish, their packets lost' : 'stopped'

  return [
    ...lossGoals(found, {
      what: `${gone} killed, connections reset`,
      latency: afterCrash,
      limitMs: 100
    }),
    ...lossGoals(found, { what: `${gone} ${how}`, latency: vanished, limitMs: 1_000 })
  ]
}

interface Loss {
  readonly what: string
  readonly latency: Latency
  readonly limitMs: number
}

function lossGoals(found: Summary, { what, latency, limitMs }: Loss): Goal[] {
  const gets = `the next ${found.plan.afterFailure} gets`

  return [
    goal(`${what}: ${gets} p95 at most ${ms(limitMs)}`, {
      value: latency.p95Ms,
      isGood: (value) => value <= limitMs,
      show: ms
    }),
    goal(`${what}: none of ${gets} fails`, {
      value: latency.failed,
      isGood: (value) => value === 0,
      show: (value) => `${value} of ${latency.count} failed`
    })
  ]
}

interface Race {
  readonly operation: 'store' | 'get'

  /** Whom Waggle is held against. */
  readonly name: string

  /** @default 1, which means no slower */
  readonly times?: number
}

function faster(found: Summary, { operation, name, times = 1 }: Race): Goal {
  const rival = found.systems.find(({ contestant }) => contestant.name === name)
  const own = figuresFor(found, 'waggle')?.oneByOne[operation]?.p50Ms ?? Number.NaN
  const other = rival?.figures?.oneByOne[operation]?.p50Ms
  const howMuch = times === 1 ? 'no slower' : `${times} × faster`
  const title = rival?.contestant.title ?? name

  return goal(`${operation}, one by one: p50 ${howMuch} than ${title}`, {
    value: other,
    isGood: (value) => value / own >= times,
    show: (value) => `${figure(value / own)} × as fast (${ms(own)}; ${title} ${ms(value)})`,
    otherwise: rival ? `${title}: ${absence(rival.contestant)}` : 'not measured'
  })
}

interface Least {
  readonly value: number | undefined
  readonly limit: number
  readonly show: (value: number) => string
}

function atLeast(text: string, { value, limit, show }: Least): Goal {
  return goal(text, { value, isGood: (measured) => measured >= limit, show })
}

function ms(value: number): string {
  return `${figure(value)} ms`
}
