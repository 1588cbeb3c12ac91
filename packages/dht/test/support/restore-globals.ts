import { afterAll, vi } from 'vitest'
import { killLeft } from './left-processes.ts'

/**
 * Restores globals that a test file has replaced, because the next file of its worker shares them, and kills processes
 * that it has left.
 */
afterAll(() => {
  killLeft()
  vi.restoreAllMocks()
  vi.useRealTimers()
})
