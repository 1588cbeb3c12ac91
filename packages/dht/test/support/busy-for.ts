/** Blocks the event loop for some milliseconds. */
export function busyFor(ms: number): void {
  const untilMs = performance.now() + ms

  while (performance.now() < untilMs) {
    // That is what it is to be busy.
  }
}
