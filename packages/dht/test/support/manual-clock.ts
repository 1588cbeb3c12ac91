/** A clock that moves only when a test sets it. */
export interface ManualClock {
  (): number
  time: number
}

export function manualClock(time = 0): ManualClock {
  const clock = Object.assign(() => clock.time, { time })
  return clock
}
