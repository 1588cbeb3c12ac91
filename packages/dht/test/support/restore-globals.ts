import { afterAll, vi } from 'vitest'

/** Restores what a test file has replaced, because the next file of its worker shares the globals. */
afterAll(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})
