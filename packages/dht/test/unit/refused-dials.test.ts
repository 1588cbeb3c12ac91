import { describe, expect, it, vi } from 'vitest'
import { isRefusal, retryRefused } from '../../src/peers/refused-dials.ts'

function reset(): Error {
  return Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
}

describe('isRefusal', () => {
  it.each([
    ['a reset socket', reset()],
    ['a reset handshake', Object.assign(new Error('noise'), { cause: reset() })],
    ['several addresses of which one is reset', new AggregateError([new Error('no'), reset()])],
    ['a muxer that is closing', new Error('The connection muxer is "closing" and not "open"')]
  ])('is %s (N10d)', (_, error) => {
    expect(isRefusal(error)).toBe(true)
  })

  it.each([
    ['a refused port', Object.assign(new Error('no'), { code: 'ECONNREFUSED' })],
    ['a timeout', new DOMException('late', 'TimeoutError')],
    [
      'a handshake that ends, as with something else that listens there',
      new Error('Unexpected EOF - stream closed while reading 30/216 bytes')
    ],
    ['something else', 'ECONNRESET']
  ])('is not %s: nobody is there (N10d)', (_, error) => {
    expect(isRefusal(error)).toBe(false)
  })
})

describe('retryRefused', () => {
  it('dials again until it is let in (N10d)', async () => {
    const dial = vi.fn().mockRejectedValueOnce(reset()).mockResolvedValueOnce('connected')
    const onRefusal = vi.fn()
    await expect(retryRefused(dial, { onRefusal })).resolves.toBe('connected')
    expect(dial).toHaveBeenCalledTimes(2)
    expect(onRefusal).toHaveBeenCalledOnce()
  })

  it('does not dial again where nobody is (N10d)', async () => {
    const error = new Error('connect ECONNREFUSED')
    const dial = vi.fn().mockRejectedValue(error)
    await expect(retryRefused(dial)).rejects.toBe(error)
    expect(dial).toHaveBeenCalledOnce()
  })

  it('says in the end that the peer is busy, which is no failure (N10d)', async () => {
    vi.useFakeTimers()

    try {
      const dial = vi.fn().mockRejectedValue(reset())
      const dialled = expect(retryRefused(dial)).rejects.toMatchObject({ name: 'BusyError' })
      await vi.runAllTimersAsync()
      await dialled
      expect(dial).toHaveBeenCalledTimes(11)
    } finally {
      vi.useRealTimers()
    }
  })

  it('stops as soon as nobody waits any more (N10d)', async () => {
    const stop = new AbortController()
    const dial = vi.fn().mockImplementation(async () => {
      stop.abort()
      throw reset()
    })
    await expect(retryRefused(dial, { signal: stop.signal })).rejects.toThrow(
      'accepts no connections'
    )
    expect(dial).toHaveBeenCalledOnce()
  })
})
