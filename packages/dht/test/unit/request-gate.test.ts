import { describe, expect, it } from 'vitest'
import {
  MAX_REQUESTS_PER_PLAIN_PEER,
  RequestGate,
  retryResets
} from '../../src/kad/request-gate.ts'
import { turns } from '../support/end-of-turn.ts'
import { peerNumber } from '../support/numbered-peers.ts'

const [a, b] = [peerNumber(1), peerNumber(2)]
const NONE = {}
const reset = Object.assign(new Error('the stream has been reset'), { name: 'StreamResetError' })

const closed = Object.assign(new Error('the stream is closed'), { name: 'StreamStateError' })

describe('RequestGate', () => {
  it('lets so many requests to one peer through at once, and the others in their order', async () => {
    const gate = new RequestGate()
    const begun: number[] = []
    const ends = Array.from({ length: 2 * MAX_REQUESTS_PER_PLAIN_PEER }, () =>
      Promise.withResolvers<void>()
    )
    const done = ends.map(({ promise }, i) =>
      gate.run(
        a,
        () => {
          begun.push(i)
          return promise
        },
        NONE
      )
    )
    await turns(3)
    expect(begun).toHaveLength(MAX_REQUESTS_PER_PLAIN_PEER)
    expect(await gate.run(b, async () => 'another peer', NONE)).toBe('another peer')
    ends[3]?.resolve()
    await turns(3)
    expect(begun.at(-1)).toBe(MAX_REQUESTS_PER_PLAIN_PEER)

    for (const { resolve } of ends) {
      resolve()
    }

    await Promise.all(done)
    expect(begun).toEqual(ends.map((_, i) => i))
  })

  it('lets go of those that nobody waits for any more, and goes on after failures', async () => {
    const gate = new RequestGate()
    const blocked = Promise.withResolvers<void>()
    const running = Array.from({ length: MAX_REQUESTS_PER_PLAIN_PEER }, () =>
      gate.run(a, () => blocked.promise, NONE).catch(() => 'failed')
    )
    const abort = new AbortController()
    const given = gate.run(a, async () => 'given up', { signal: abort.signal })
    const last = gate.run(a, async () => 'last', NONE)
    abort.abort(new Error('too late'))
    await expect(given).rejects.toThrow('too late')
    blocked.reject(new Error('broken'))

    expect(await last).toBe('last')
    expect(new Set(await Promise.all(running))).toEqual(new Set(['failed']))
  })
})

describe('a plain peer that resets streams', () => {
  it('is asked for as many at once as it takes, so that it misses nothing (N9j)', async () => {
    const gate = new RequestGate()
    const taken = new Set<number>()
    let [open, resets] = [0, 0]

    /** A peer that takes six streams at once. */
    async function request(i: number): Promise<void> {
      open++
      await turns(1)

      if (open > 6) {
        open--
        resets++
        throw reset
      }

      await turns(1)
      open--
      taken.add(i)
    }

    const requests = Array.from({ length: 400 }, (_, i) =>
      retryResets(() => gate.run(a, () => request(i), NONE), NONE)
    )
    await Promise.all(requests)

    expect(taken.size).toBe(400)
    expect(resets).toBeLessThan(200)
  })
})

describe('retryResets', () => {
  it.each([
    ['a reset twice', [reset, reset], 'done'],
    ['a reset before it was written', [closed], 'done'],
    ['a reset again and again', Array(6).fill(reset), 'the stream has been reset'],
    ['another failure', [new Error('no')], 'no']
  ])('repeats a request after %s as it should', async (_, failures, expected) => {
    const left = [...failures]
    const request = async (): Promise<string> => {
      const failure = left.shift()

      if (failure !== undefined) {
        throw failure
      }

      return 'done'
    }

    expect(await retryResets(request, NONE).catch(({ message }) => message)).toBe(expected)
  })
})
