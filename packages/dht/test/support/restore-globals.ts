import { afterAll, vi } from 'vitest'

/**
 * Restores globals that a test file has replaced, because the next file of its worker shares them.
 */
afterAll(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})
