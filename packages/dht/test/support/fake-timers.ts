import { afterEach, beforeEach, vi } from 'vitest'
import { turns } from './end-of-turn.ts'

/** Gives each test timers and a process's clock that it moves itself. */
export function useFakeTimers(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  })

  afterEach(() => {
    vi.useRealTimers()
  })
}

/** Lets a time pass, and lookups take the steps that follow from it. */
export async function after(ms: number): Promise<void> {
  await turns()
  await vi.advanceTimersByTimeAsync(ms)
  await turns(3)
}
