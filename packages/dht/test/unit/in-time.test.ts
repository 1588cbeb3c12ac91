import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { inTime } from '../../src/timing/in-time.ts'

const reason = new Error('the caller has had enough')

describe('inTime', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  it('comes to what the promise comes to, and leaves no timer behind', async () => {
    await expect(inTime(Promise.resolve('a value'), 250)).resolves.toBe('a value')
    await expect(inTime(Promise.reject(reason), 250)).rejects.toBe(reason)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('rejects with TimeoutError when the promise takes longer (N8a)', async () => {
    const late = Promise.withResolvers<string>()
    const timed = expect(inTime(late.promise, 250)).rejects.toMatchObject({ name: 'TimeoutError' })
    await vi.advanceTimersByTimeAsync(250)
    await timed
    // A late rejection is ignored.
    late.reject(reason)
  })

  it.each([2 ** 31, Number.POSITIVE_INFINITY])(
    'waits for %d ms, which are more than a timer takes',
    async (ms) => {
      const ended = vi.fn()
      inTime(new Promise(() => {}), ms).catch(ended)
      await vi.advanceTimersByTimeAsync(1_000_000)

      expect(ended).not.toHaveBeenCalled()
    }
  )
})
