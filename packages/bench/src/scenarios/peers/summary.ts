import type { Layers } from '../../floor/bare-node.ts'
import type { Contestant } from '../../systems/contestants.ts'
import {
  type Figures,
  figuresOf,
  type Latency,
  latency,
  type Throughput,
  throughput
} from './figures.ts'
import type { FloorRound } from './measure-floor.ts'
import type { VanishingRound } from './measure-vanishing.ts'
import type { Outcome } from './outcome.ts'
import type { Plan } from './plan.ts'

/** What it comes to. */
export interface Summary {
  readonly plan: Plan
  readonly floors: Readonly<Record<Layers, Floor>>
  readonly systems: readonly SystemSummary[]
  readonly vanished: Latency & Pick<VanishingRound, 'how'>
  readonly troubles: readonly string[]
}

export interface Floor {
  readonly roundTrip: Latency
  readonly roundTripInFlight: Throughput
  readonly fanOut: Latency
  readonly fanOutInFlight: Throughput
}

export interface SystemSummary {
  readonly contestant: Contestant

  /** Undefined where it isn't installed, or finished nothing. */
  readonly figures: Figures | undefined
}

/** Medians over the rounds. */
export function summary({ plan, floors, systems, vanished, troubles }: Outcome): Summary {
  return {
    plan,
    floors: {
      stock: floorOf(floors.map(({ stock }) => stock)),
      layered: floorOf(floors.map(({ layered }) => layered))
    },
    systems: Array.from(systems, ([contestant, rounds]) => ({
      contestant,
      figures: rounds.length > 0 ? figuresOf(rounds) : undefined
    })),
    vanished: {
      ...latency(vanished.map(({ measured }) => measured)),
      how: vanished.every(({ how }) => how === 'dropped') ? 'dropped' : 'stopped'
    },
    troubles
  }
}

function floorOf(rounds: readonly FloorRound[]): Floor {
  return {
    roundTrip: latency(rounds.map(({ roundTrip }) => roundTrip)),
    roundTripInFlight: throughput(rounds.map(({ roundTripInFlight }) => roundTripInFlight)),
    fanOut: latency(rounds.map(({ fanOut }) => fanOut)),
    fanOutInFlight: throughput(rounds.map(({ fanOutInFlight }) => fanOutInFlight))
  }
}

/** What the system of this name did, if it took part. */
export function figuresFor({ systems }: Summary, name: string): Figures | undefined {
  return systems.find(({ contestant }) => contestant.name === name)?.figures
}
