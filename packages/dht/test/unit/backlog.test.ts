import { describe, expect, it, vi } from 'vitest'
import { type Buffering, BufferLimits, MAX_STUCK_MS } from '../../src/admission/buffer-limits.ts'

const LIMITS = { maxBufferedBytesPerPeer: 100, maxBufferedBytes: 250 }

interface Stream extends Buffering {
  bufferedBytes: number
  stuckSinceMs: number | undefined
  isClosed: boolean
}

function streamWith(bufferedBytes: number, stuckSinceMs?: number): Stream {
  const stream: Stream = {
    bufferedBytes,
    stuckSinceMs,
    isClosed: false,
    close() {
      stream.isClosed = true
    }
  }
  return stream
}

describe('Backlog', () => {
  it('ends the streams of a peer that makes this node hold too much, all of them together (N9d)', () => {
    const backlog = new BufferLimits(LIMITS)
    const [a, b, other] = [streamWith(60), streamWith(60), streamWith(90)]
    backlog.add(a, 'much')
    backlog.add(b, 'much')
    backlog.add(other, 'less')
    backlog.look()
    backlog.stop()

    expect([a, b, other].map(({ isClosed }) => isClosed)).toEqual([true, true, false])
  })

  it('ends those of who has most when all have too much together (N9d)', () => {
    const backlog = new BufferLimits(LIMITS)
    const streams = [90, 60, 70, 80].map((bytes) => streamWith(bytes))
    streams.forEach((stream, i) => {
      backlog.add(stream, `peer ${i}`)
    })
    backlog.look()
    backlog.stop()

    expect(streams.map(({ isClosed }) => isClosed)).toEqual([true, false, false, false])
  })

  it('ends a stream on which nothing has moved for long (N9d)', () => {
    const backlog = new BufferLimits(LIMITS)
    const [stuck, slow, idle] = [streamWith(1, 1000), streamWith(1, 1001), streamWith(0)]

    for (const stream of [stuck, slow, idle]) {
      backlog.add(stream, 'peer')
    }

    backlog.look(1001 + MAX_STUCK_MS)
    backlog.stop()
    expect([stuck, slow, idle].map(({ isClosed }) => isClosed)).toEqual([true, false, false])
  })

  it('looks at what is open only', () => {
    const backlog = new BufferLimits(LIMITS)
    const gone = streamWith(1000)
    backlog.add(gone, 'peer')
    backlog.delete(gone)
    backlog.look()

    expect(gone.isClosed).toBe(false)
  })

  it('ends the oldest streams of a peer that opens more than it may have (N9d)', () => {
    const backlog = new BufferLimits(LIMITS)
    const streams = Array.from({ length: 4 }, () => streamWith(0))
    const other = streamWith(0)
    backlog.add(other, 'other')

    for (const stream of streams) {
      backlog.add(stream, 'many')
    }

    backlog.endOldest('many', 3)
    backlog.stop()

    expect(streams.map(({ isClosed }) => isClosed)).toEqual([true, false, false, false])
    expect(other.isClosed).toBe(false)
  })

  it('looks again and again while something is buffered, without being told (N9d)', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })

    try {
      const backlog = new BufferLimits(LIMITS)
      const stuck = streamWith(1, performance.now())
      backlog.add(stuck, 'peer')
      backlog.grew()
      vi.advanceTimersByTime(MAX_STUCK_MS)
      expect(stuck.isClosed).toBe(false)
      vi.advanceTimersByTime(1000)
      expect(stuck.isClosed).toBe(true)
      backlog.stop()
    } finally {
      vi.useRealTimers()
    }
  })
})
