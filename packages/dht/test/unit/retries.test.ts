import { plainRecord, recordKey } from '@waggle/record'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { UnreachableError } from '../../src/errors.ts'
import { Publications } from '../../src/operations/publications.ts'
import { retrying } from '../../src/operations/retries.ts'
import type { Written } from '../../src/operations/writer.ts'

const clock = (): number => Date.now() / 1000

function written(outcome: Written['outcome'], ttl = 600): Written {
  const record = plainRecord('value', clock() + ttl)
  const write = { key: recordKey('key'), record, isLive: true }
  return { write, outcome, peers: new Map(), winner: undefined }
}

/** One call with retries, in manual time. */
class Scene {
  readonly publications: Publications = new Publications(clock)
  readonly cancellation: { isCancelled: boolean } = { isCancelled: false }

  run(attempt: () => Promise<Written>): Promise<Written> {
    const { cancellation, publications } = this
    return retrying({ retry: true, cancellation, publications, store: { clock } }, attempt)
  }
}

describe('a call that tries again', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] })
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  it('does so at once when a peer has connected during the attempt', async () => {
    const scene = new Scene()
    const attempt = vi
      .fn<() => Promise<Written>>()
      .mockImplementationOnce(async () => {
        scene.publications.onPeer()
        return written('unreachable')
      })
      .mockImplementation(async () => written('held'))
    const result = scene.run(attempt)
    await vi.advanceTimersByTimeAsync(0)

    expect(attempt).toHaveBeenCalledTimes(2)
    expect(await result).toMatchObject({ outcome: 'held' })
  })

  it('ends when its write expires, and no later', async () => {
    const failed = written('unreachable', 10)
    const onEnd = vi.fn()
    void new Scene().run(async () => failed).then(onEnd)
    await vi.advanceTimersByTimeAsync(9_990)
    expect(onEnd).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(20)

    expect(onEnd).toHaveBeenCalledWith({ ...failed, outcome: 'expired' })
  })

  it.each([
    ['rejects', async () => Promise.reject(new UnreachableError(1))],
    ['is not stored', async () => written('unreachable')]
  ])('makes no attempt after its end, if the last one %s', async (_, attempt) => {
    const scene = new Scene()
    const attempts = vi.fn<() => Promise<Written>>(attempt)
    const ended = expect(scene.run(attempts)).rejects.toMatchObject({ name: 'AbortError' })
    await vi.advanceTimersByTimeAsync(100)
    scene.cancellation.isCancelled = true
    await vi.advanceTimersByTimeAsync(1000)

    await ended
    expect(attempts).toHaveBeenCalledTimes(1)
  })
})
