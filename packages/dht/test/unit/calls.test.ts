import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DEFAULT_CALL_TIMEOUT_MS } from '../../src/constants.ts'
import type { CallOptions } from '../../src/timing/calls.ts'
import { Calls } from '../../src/timing/calls.ts'
import type { CancellationToken } from '../../src/timing/cancellation.ts'

const never = (): Promise<never> => new Promise(() => {})
const reason = new Error('the caller has had enough')

/** Runs one call of a node that is never stopped, or is stopped by a signal. */
async function run<T>(
  options: CallOptions,
  start: (cancellation: CancellationToken) => Promise<T>,
  lifetime: AbortSignal = new AbortController().signal
): Promise<T> {
  return new Calls(lifetime).run('get', options, start)
}

describe('Calls', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  it('gives what the call gives', async () => {
    await expect(run({}, async () => 'a value')).resolves.toBe('a value')
  })

  it('rejects as the call rejects', async () => {
    await expect(run({}, () => Promise.reject(reason))).rejects.toBe(reason)
  })

  it('rejects with TimeoutError when time has run out, whatever the call still does (N8a)', async () => {
    const call = run({ timeoutMs: 250 }, never)
    const rejection = expect(call).rejects.toMatchObject({
      name: 'TimeoutError',
      message: 'get took longer than 250 ms'
    })

    await vi.advanceTimersByTimeAsync(250)
    await rejection
  })

  it('does not reject a moment earlier', async () => {
    const { promise, resolve } = Promise.withResolvers<string>()
    const call = run({ timeoutMs: 250 }, () => promise)

    await vi.advanceTimersByTimeAsync(249)
    resolve('in time')
    await expect(call).resolves.toBe('in time')
  })

  it('has a limit when the caller names none (N8a)', async () => {
    const call = run({}, never)
    const rejection = expect(call).rejects.toThrow(`${DEFAULT_CALL_TIMEOUT_MS} ms`)

    await vi.advanceTimersByTimeAsync(DEFAULT_CALL_TIMEOUT_MS)
    await rejection
  })

  it('rejects at once with the reason of the signal, whatever the call still does (N8a)', async () => {
    const caller = new AbortController()
    const call = run({ signal: caller.signal }, never)

    caller.abort(reason)
    await expect(call).rejects.toBe(reason)
  })

  it('does not begin when the signal is aborted already (N8a)', async () => {
    const start = vi.fn(never)

    await expect(run({ signal: AbortSignal.abort(reason) }, start)).rejects.toBe(reason)
    expect(start).not.toHaveBeenCalled()
  })

  it('does not begin when the node has stopped already (N8a)', async () => {
    const start = vi.fn(never)

    await expect(run({}, start, AbortSignal.abort(reason))).rejects.toBe(reason)
    expect(start).not.toHaveBeenCalled()
  })

  it('end all when the node stops, with its reason (N8a)', async () => {
    const lifetime = new AbortController()
    const calls = new Calls(lifetime.signal)
    const wanted: CancellationToken[] = []
    const begun = Array.from({ length: 5 }, (_, i) =>
      calls.run(`call ${i}`, {}, (one) => {
        wanted.push(one)
        return never()
      })
    )
    const over = calls.run('get', {}, async () => 'a value')
    await over

    lifetime.abort(reason)
    expect(await Promise.allSettled(begun)).toEqual(
      begun.map(() => ({ status: 'rejected', reason }))
    )
    expect(await over).toBe('a value')
    expect(wanted.map(({ isCancelled }) => isCancelled)).toEqual(begun.map(() => true))
    expect(vi.getTimerCount()).toBe(0)
  })

  it('end one by one: that one is aborted, or too slow, is nothing to the others', async () => {
    const calls = new Calls(new AbortController().signal)
    const caller = new AbortController()
    const { promise, resolve } = Promise.withResolvers<string>()
    const aborted = calls.run('get', { signal: caller.signal }, never)
    const slow = calls.run('get', { timeoutMs: 250 }, never)
    const good = calls.run('get', { timeoutMs: 500 }, () => promise)
    const slowRejection = expect(slow).rejects.toMatchObject({ name: 'TimeoutError' })

    caller.abort(reason)
    await expect(aborted).rejects.toBe(reason)
    await vi.advanceTimersByTimeAsync(250)
    await slowRejection
    resolve('in time')
    await expect(good).resolves.toBe('in time')
  })

  it.each(['the time', 'the caller', 'the node', 'an answer', 'a fault'])(
    'tell what is done for them that it is no longer wanted, when %s ends them',
    async (ending) => {
      const caller = new AbortController()
      const lifetime = new AbortController()
      const { promise, resolve, reject } = Promise.withResolvers<string>()
      const seen: CancellationToken[] = []
      const call = run(
        { signal: caller.signal, timeoutMs: 250 },
        (cancellation) => {
          seen.push(cancellation)
          return promise
        },
        lifetime.signal
      )
      const settled = Promise.allSettled([call])
      await Promise.resolve()
      expect(seen.map(({ isCancelled }) => isCancelled)).toEqual([false])

      const ends: Record<string, () => unknown> = {
        'the time': () => vi.advanceTimersByTimeAsync(250),
        'the caller': () => caller.abort(reason),
        'the node': () => lifetime.abort(reason),
        'an answer': () => resolve('a value'),
        'a fault': () => reject(reason)
      }
      await ends[ending]?.()
      await settled
      expect(seen.map(({ isCancelled }) => isCancelled)).toEqual([true])
    }
  )

  it('let nothing come of what is answered or fails after the end', async () => {
    const { promise, resolve } = Promise.withResolvers<string>()
    const failing = Promise.withResolvers<string>()
    const caller = new AbortController()
    const calls = [promise, failing.promise].map((late) =>
      run({ signal: caller.signal }, () => late)
    )
    const settled = Promise.allSettled(calls)
    await Promise.resolve()
    caller.abort(reason)
    resolve('too late')
    failing.reject(new Error('too late, too'))

    expect(await settled).toEqual(calls.map(() => ({ status: 'rejected', reason })))
  })

  it.each([2 ** 31, Number.POSITIVE_INFINITY])(
    'wait for %d ms, which are more than a timer takes',
    async (timeoutMs) => {
      const ended = vi.fn()
      run({ timeoutMs }, never).catch(ended)

      await vi.advanceTimersByTimeAsync(1_000_000)
      expect(ended).not.toHaveBeenCalled()
    }
  )

  it('leave neither a timer nor a listener behind, so that a process can end', async () => {
    const { signal } = new AbortController()
    const lifetime = new AbortController().signal
    const calls = new Calls(lifetime)
    const before = getEventListeners(lifetime, 'abort').length

    for (let i = 0; i < 10; i++) {
      await calls.run('get', { signal }, async () => 'a value')
      await calls.run('get', { signal }, () => Promise.reject(reason)).catch(() => {})
      calls.run('get', { signal, timeoutMs: 250 }, never).catch(() => {})
    }

    await vi.advanceTimersByTimeAsync(250)
    expect(vi.getTimerCount()).toBe(0)
    expect(getEventListeners(signal, 'abort')).toEqual([])
    expect(getEventListeners(lifetime, 'abort')).toHaveLength(before)
  })

  it('share one listener on the life of the node, however many are under way', () => {
    const lifetime = new AbortController().signal
    const calls = new Calls(lifetime)

    for (let i = 0; i < 100; i++) {
      calls.run('get', {}, never).catch(() => {})
    }

    expect(getEventListeners(lifetime, 'abort')).toHaveLength(1)
  })

  it.each([0, -1, Number.NaN, '5', null, true])('refuse %j as timeoutMs', async (timeoutMs) => {
    const call = run({ timeoutMs: timeoutMs as number }, never)

    await expect(call).rejects.toThrow(TypeError)
    await expect(call).rejects.toThrow('timeoutMs must be a positive number of milliseconds')
  })
})
