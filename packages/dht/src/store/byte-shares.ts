/** So many peers, besides the first, are told apart in one dictionary; what others have added counts for the first. */
const MAX_CHARGES = 8

/** A record's bytes: whose they are, and what of them counts for other peers. */
export interface SharedBytes {
  readonly storer: string
  readonly sizeBytes: number
  readonly charges: readonly Charge[]
}

/** Bytes of a record that another peer than its storer has added. */
export interface Charge {
  readonly storer: string
  readonly bytes: number
}

/**
 * Who pays for what of a record that has changed. A dictionary belongs to the first who wrote into
 * it, but what others add counts as theirs, or strangers could fill somebody else's room.
 */
export function chargesOf(
  previous: SharedBytes,
  writer: string,
  sizeBytes: number
): readonly Charge[] {
  if (previous.storer === writer) {
    return fitting(previous.charges, sizeBytes)
  }

  const grownBytes = sizeBytes - previous.sizeBytes

  if (grownBytes <= 0) {
    return fitting(previous.charges, sizeBytes)
  }

  const known = previous.charges.find(({ storer }) => storer === writer)
  const others = previous.charges.filter((charge) => charge !== known)
  const added = { storer: writer, bytes: (known?.bytes ?? 0) + grownBytes }
  return fitting([...largest(others, MAX_CHARGES - 1), added], sizeBytes)
}

/** Who has added little makes room for who adds now, or a ninth could add as much as it likes. */
function largest(charges: readonly Charge[], count: number): readonly Charge[] {
  return charges.length <= count
    ? charges
    : charges.toSorted((a, b) => b.bytes - a.bytes).slice(0, count)
}

/**
 * When much of a record has gone, it is open whose it was. What is left then counts for those who
 * have added to it: else one could have its part count for the storer by letting some of it expire.
 */
export function fitting(charges: readonly Charge[], sizeBytes: number): readonly Charge[] {
  const sumBytes = charges.reduce((sum, { bytes }) => sum + bytes, 0)
  return sumBytes <= sizeBytes
    ? charges
    : charges.map(({ storer, bytes }) => ({
        storer,
        bytes: Math.floor((bytes * sizeBytes) / sumBytes)
      }))
}

/** What most records have. */
export const NONE: readonly Charge[] = []
