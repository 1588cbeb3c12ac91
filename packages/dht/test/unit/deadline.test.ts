import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DEFAULT_CALL_TIMEOUT_MS } from '../../src/constants.ts'
import { anySignal, timeoutSignal, withDeadline } from '../../src/deadline.ts'

const never = (): Promise<never> => new Promise(() => {})
const reason = new Error('the caller has had enough')

describe('withDeadline', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  it('gives what the call gives', async () => {
    await expect(withDeadline('get', {}, async () => 'a value')).resolves.toBe('a value')
  })

  it('rejects as the call rejects', async () => {
    await expect(withDeadline('get', {}, () => Promise.reject(reason))).rejects.toBe(reason)
  })

  it('rejects with TimeoutError when time has run out, whatever the call still does (N8)', async () => {
    const call = withDeadline('get', { timeoutMs: 250 }, never)
    const rejection = expect(call).rejects.toMatchObject({
      name: 'TimeoutError',
      message: 'get took longer than 250 ms'
    })

    await vi.advanceTimersByTimeAsync(250)
    await rejection
  })

  it('does not reject a moment earlier', async () => {
    const { promise, resolve } = Promise.withResolvers<string>()
    const call = withDeadline('get', { timeoutMs: 250 }, () => promise)

    await vi.advanceTimersByTimeAsync(249)
    resolve('in time')
    await expect(call).resolves.toBe('in time')
  })

  it('has a limit when the caller names none (N8)', async () => {
    const call = withDeadline('get', {}, never)
    const rejection = expect(call).rejects.toThrow(`${DEFAULT_CALL_TIMEOUT_MS} ms`)

    await vi.advanceTimersByTimeAsync(DEFAULT_CALL_TIMEOUT_MS)
    await rejection
  })

  it('rejects at once with the reason of the signal, whatever the call still does (N8)', async () => {
    const caller = new AbortController()
    const call = withDeadline('get', { signal: caller.signal }, never)

    caller.abort(reason)
    await expect(call).rejects.toBe(reason)
  })

  it('does not begin when the signal is aborted already (N8)', async () => {
    const call = vi.fn(never)

    await expect(withDeadline('get', { signal: AbortSignal.abort(reason) }, call)).rejects.toBe(
      reason
    )
    expect(call).not.toHaveBeenCalled()
  })

  it.each(['the time', 'the caller'])('tells the call when %s ends it', async (ending) => {
    const caller = new AbortController()
    const signals: AbortSignal[] = []
    const call = withDeadline('get', { signal: caller.signal, timeoutMs: 250 }, (signal) => {
      signals.push(signal)
      return never()
    })
    const rejection = expect(call).rejects.toThrow()

    expect(signals.map(({ aborted }) => aborted)).toEqual([false])
    ending === 'the time' ? await vi.advanceTimersByTimeAsync(250) : caller.abort(reason)
    await rejection
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
  })

  it.each([2 ** 31, Number.POSITIVE_INFINITY])(
    'waits for %d ms, which are more than a timer takes',
    async (timeoutMs) => {
      const ended = vi.fn()
      withDeadline('get', { timeoutMs }, never).catch(ended)

      await vi.advanceTimersByTimeAsync(1_000_000)
      expect(ended).not.toHaveBeenCalled()
    }
  )

  it('leaves neither a timer nor a listener behind', async () => {
    const { signal } = new AbortController()
    await withDeadline('get', { signal }, async () => 'a value')

    expect(vi.getTimerCount()).toBe(0)
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it.each([0, -1, Number.NaN, '5', null, true])('refuses %j as timeoutMs', async (timeoutMs) => {
    const call = withDeadline('get', { timeoutMs: timeoutMs as number }, never)

    await expect(call).rejects.toThrow(TypeError)
    await expect(call).rejects.toThrow('timeoutMs must be a positive number of milliseconds')
  })
})

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
