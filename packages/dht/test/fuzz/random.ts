/** Returns integers below a bound, the same ones for the same seed. */
export type Random = (below: number) => number

/** Makes mulberry32, a generator with 32 bits of state, which is good enough for choices. */
export function seededRandom(seed: number): Random {
  let state = seed

  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}
