import type { PeerInfo } from '@libp2p/interface'
import { describe, expect, it, vi } from 'vitest'
import { type WaitingRequest, WaitingRequests } from '../../src/lookup/waiting-requests.ts'
import { useFakeTimers } from '../support/fake-timers.ts'
import { contacts } from '../support/numbered-peers.ts'

const TIMEOUT_MS = 3000
const [first, second] = contacts(2) as [PeerInfo, PeerInfo]

useFakeTimers()

class Recorded implements WaitingRequest {
  readonly contact: PeerInfo
  readonly askedAtMs: number = performance.now()
  readonly log: string[]
  readonly #name: string
  dueAfterMs: number
  isPending = true

  constructor(name: string, log: string[], contact: PeerInfo, lateAfterMs: number) {
    this.#name = name
    this.log = log
    this.contact = contact
    this.dueAfterMs = lateAfterMs
  }

  onDue(): void {
    this.isPending = this.dueAfterMs < TIMEOUT_MS
    this.dueAfterMs = TIMEOUT_MS
    this.log.push(
      `${this.#name} ${this.isPending ? 'late' : 'over'} at ${Math.round(performance.now())}`
    )
  }
}

describe('WaitingRequests', () => {
  it('tell of each request when it is late, and when its time is over, with one timer (N12)', async () => {
    const log: string[] = []
    const waiting = new WaitingRequests({ progressMs: () => 0 })
    const startMs = performance.now()
    waiting.add(new Recorded('a', log, first, 1000))
    await vi.advanceTimersByTimeAsync(100)
    waiting.add(new Recorded('b', log, second, 400))
    waiting.add(new Recorded('c', log, first, TIMEOUT_MS))
    expect(vi.getTimerCount()).toBe(1)
    await vi.advanceTimersByTimeAsync(5000)

    expect(log).toEqual([
      `b late at ${Math.round(startMs + 500)}`,
      `a late at ${Math.round(startMs + 1000)}`,
      `a over at ${Math.round(startMs + TIMEOUT_MS)}`,
      `c over at ${Math.round(startMs + 100 + TIMEOUT_MS)}`,
      `b over at ${Math.round(startMs + 100 + TIMEOUT_MS)}`
    ])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('let progress of a peer prolong its requests, and nobody else’s (N12)', async () => {
    const log: string[] = []
    let progressMs = Number.NEGATIVE_INFINITY
    const waiting = new WaitingRequests({
      progressMs: ({ id }) => (id.equals(first.id) ? progressMs : Number.NEGATIVE_INFINITY)
    })
    const startMs = performance.now()
    waiting.add(new Recorded('a', log, first, 400))
    waiting.add(new Recorded('b', log, second, 400))
    await vi.advanceTimersByTimeAsync(399)
    progressMs = performance.now()
    await vi.advanceTimersByTimeAsync(2000)
    progressMs = performance.now()
    await vi.advanceTimersByTimeAsync(10_000)

    expect(log).toEqual([
      `b late at ${Math.round(startMs + 400)}`,
      `a late at ${Math.round(startMs + 799)}`,
      `b over at ${Math.round(startMs + TIMEOUT_MS)}`,
      `a over at ${Math.round(startMs + 2399 + TIMEOUT_MS)}`
    ])
  })

  it('forget requests that are settled, without being told (N9d)', async () => {
    const log: string[] = []
    const waiting = new WaitingRequests({ progressMs: () => 0 })
    const requests = Array.from({ length: 1000 }, (_, i) => new Recorded(`${i}`, log, first, 400))

    for (const request of requests) {
      waiting.add(request)
      request.isPending = false
    }

    await vi.advanceTimersByTimeAsync(400)
    expect(log).toEqual([])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('leave no timer when they are cleared', () => {
    const waiting = new WaitingRequests({ progressMs: () => 0 })
    waiting.add(new Recorded('a', [], first, 400))
    waiting.clear()

    expect(vi.getTimerCount()).toBe(0)
  })
})
