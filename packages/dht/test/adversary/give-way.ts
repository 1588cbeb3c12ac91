import { constants, setPriority } from 'node:os'

/** Lowers the priority of an attacker. A real one would not take its victim's processors. */
export function giveWay(): void {
  setPriority(constants.priority.PRIORITY_LOW)
}
