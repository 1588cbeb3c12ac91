import { constants, setPriority } from 'node:os'

/** A real attacker would not take its victim's processors: here it has what nobody else wants. */
export function giveWay(): void {
  setPriority(constants.priority.PRIORITY_LOW)
}
