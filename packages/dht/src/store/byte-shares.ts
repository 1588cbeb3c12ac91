/**
 * Peers with their own share of one dictionary, besides the one that began it. Further additions count for that
 * one.
 */
const MAX_SHARES = 8

/** The bytes of a record, and the peers that they count for. */
export interface SharedBytes {
  /** The peer that stored the record, as text. */
  readonly writer: string
  readonly sizeBytes: number

  /** Bytes that count for other peers. */
  readonly shares: readonly ByteShare[]
}

/** Bytes that a peer has added to a record that another peer stored. */
export interface ByteShare {
  readonly writer: string
  readonly bytes: number
}

/**
 * Divides the bytes of a record that has changed. A dictionary counts for the peer that began it, but additions
 * count for the peers that make them: otherwise strangers could use up that peer's quota.
 */
export function sharesOf(
  previous: SharedBytes,
  writer: string,
  sizeBytes: number
): readonly ByteShare[] {
  if (previous.writer === writer) {
    return fitTo(sizeBytes, previous.shares)
  }

  const grownBytes = sizeBytes - previous.sizeBytes

  if (grownBytes <= 0) {
    return fitTo(sizeBytes, previous.shares)
  }

  const known = previous.shares.find((share) => share.writer === writer)
  const others = previous.shares.filter((share) => share !== known)
  const added = { writer, bytes: (known?.bytes ?? 0) + grownBytes }
  return fitTo(sizeBytes, [...largest(others, MAX_SHARES - 1), added])
}

/** Drops the smallest shares: otherwise a ninth peer could add any amount. */
function largest(shares: readonly ByteShare[], count: number): readonly ByteShare[] {
  return shares.length <= count
    ? shares
    : shares.toSorted((a, b) => b.bytes - a.bytes).slice(0, count)
}

/**
 * Scales the shares down when much of a record has gone. The rest counts for the peers that added to it: otherwise
 * a peer could pass its part on to the writer by letting some of it expire.
 */
export function fitTo(sizeBytes: number, shares: readonly ByteShare[]): readonly ByteShare[] {
  const sumBytes = shares.reduce((sum, { bytes }) => sum + bytes, 0)
  return sumBytes <= sizeBytes
    ? shares
    : shares.map(({ writer, bytes }) => ({
        writer,
        bytes: Math.floor((bytes * sizeBytes) / sumBytes)
      }))
}

/** The shares of most records. */
export const NO_SHARES: readonly ByteShare[] = []
