/** Leaves nobody else a turn for so long. */
export function busyFor(ms: number): void {
  const untilMs = performance.now() + ms

  while (performance.now() < untilMs) {
    // That is what it is to be busy.
  }
}
