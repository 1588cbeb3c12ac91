/** Returns numbers from 0 to 1, the same for the same seed. */
export type Random = () => number

/** Creates a mulberry32 generator: 32 bits of state, enough to draw samples. */
export function seededRandom(seed: number): Random {
  let state = seed

  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Draws `count` different items in random order; all of them if there are fewer. */
export function sample<T>(items: readonly T[], count: number, random: Random): T[] {
  const rest = [...items]
  const drawn: T[] = []

  while (drawn.length < count && rest.length > 0) {
    drawn.push(...rest.splice(Math.floor(random() * rest.length), 1))
  }

  return drawn
}

/** Draws one item. */
export function any<T>(items: readonly T[], random: Random): T {
  const item = items[Math.floor(random() * items.length)]

  if (item === undefined) {
    throw new RangeError('an empty list has no items')
  }

  return item
}
