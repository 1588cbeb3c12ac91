import type { Held } from './held.ts'

/** So many peers, besides the first, are told apart in one dictionary; what others add counts for the first. */
const MAX_CHARGES = 8

/** Bytes of a record that another peer than its storer has added. */
export interface Charge {
  readonly storer: string
  readonly bytes: number
}

/**
 * Who pays for what of a record that has changed. A dictionary belongs to the first who wrote into
 * it, but what others add counts as theirs, or strangers could fill somebody else's room.
 */
export function chargesOf(previous: Held, writer: string, sizeBytes: number): readonly Charge[] {
  if (previous.storer === writer) {
    return fitting(previous.charges, sizeBytes)
  }

  const grownBytes = sizeBytes - previous.sizeBytes
  const known = previous.charges.find(({ storer }) => storer === writer)
  const others = previous.charges.filter((charge) => charge !== known)
  const isAdded = grownBytes > 0 && (known !== undefined || others.length < MAX_CHARGES)

  return isAdded
    ? fitting([...others, { storer: writer, bytes: (known?.bytes ?? 0) + grownBytes }], sizeBytes)
    : fitting(previous.charges, sizeBytes)
}

/** When much of a record has gone, it is open whose it was: then all of it is the storer's. */
function fitting(charges: readonly Charge[], sizeBytes: number): readonly Charge[] {
  return charges.reduce((sum, { bytes }) => sum + bytes, 0) <= sizeBytes ? charges : NONE
}

/** What most records have. */
export const NONE: readonly Charge[] = []
