import type { Scenario } from './interface.ts'
import { floor } from './scenarios/floor/floor.ts'
import { memory } from './scenarios/memory/memory.ts'
import { peers } from './scenarios/peers/peers.ts'

/** All that can be run, in the order in which they are run and reported. */
export const scenarios: readonly Scenario[] = [floor, peers, memory]
