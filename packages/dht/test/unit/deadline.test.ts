import { describe, expect, it } from 'vitest'
import { anySignal, timeoutSignal } from '../../src/timing/deadline.ts'

const reason = new Error('the caller has had enough')

describe('timeoutSignal', () => {
  it.each([1, 0.5, 1.5])('is aborted after %d ms', async (ms) => {
    const signal = timeoutSignal(ms)

    await expect.poll(() => signal.aborted).toBe(true)
  })

  it.each([2 ** 31, 2 ** 33, Number.POSITIVE_INFINITY])(
    'waits for %d ms, which are more than a timer takes',
    async (ms) => {
      const signal = timeoutSignal(ms)
      const shorter = timeoutSignal(5)

      await expect.poll(() => shorter.aborted).toBe(true)
      expect(signal.aborted).toBe(false)
    }
  )
})

describe('anySignal', () => {
  it('is the only signal that is given, if there is one', () => {
    const { signal } = new AbortController()

    expect(anySignal(undefined, signal)).toBe(signal)
  })

  it('never is aborted when there is none', () => {
    expect(anySignal(undefined, undefined).aborted).toBe(false)
  })

  it.each([0, 1, 2])('is aborted with signal %i, for its reason', (which) => {
    const controllers = Array.from({ length: 3 }, () => new AbortController())
    const any = anySignal(...controllers.map(({ signal }) => signal))

    expect(any.aborted).toBe(false)
    controllers[which]?.abort(reason)
    expect(any.reason).toBe(reason)
  })
})
