/** A clock that stands still until it is set. */
export interface ManualClock {
  (): number
  time: number
}

export function manualClock(time = 0): ManualClock {
  const clock = Object.assign(() => clock.time, { time })
  return clock
}
