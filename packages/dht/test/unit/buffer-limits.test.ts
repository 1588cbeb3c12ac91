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

describe('BufferLimits', () => {
  it('ends the streams of a peer that makes this node hold too much, all of them together (N9d)', () => {
    const buffers = new BufferLimits(LIMITS)
    const [a, b, other] = [streamWith(60), streamWith(60), streamWith(90)]
    buffers.add(a, 'much')
    buffers.add(b, 'much')
    buffers.add(other, 'less')
    buffers.check()
    buffers.stop()

    expect([a, b, other].map(({ isClosed }) => isClosed)).toEqual([true, true, false])
  })

  it('ends those of the peer with most when all have too much together (N9d)', () => {
    const buffers = new BufferLimits(LIMITS)
    const streams = [90, 60, 70, 80].map((bytes) => streamWith(bytes))
    streams.forEach((stream, i) => {
      buffers.add(stream, `peer ${i}`)
    })
    buffers.check()
    buffers.stop()

    expect(streams.map(({ isClosed }) => isClosed)).toEqual([true, false, false, false])
  })

  it('ends a stream on which nothing has moved for long (N9d)', () => {
    const buffers = new BufferLimits(LIMITS)
    const [stuck, slow, idle] = [streamWith(1, 1000), streamWith(1, 1001), streamWith(0)]

    for (const stream of [stuck, slow, idle]) {
      buffers.add(stream, 'peer')
    }

    buffers.check(1001 + MAX_STUCK_MS)
    buffers.stop()
    expect([stuck, slow, idle].map(({ isClosed }) => isClosed)).toEqual([true, false, false])
  })

  it('looks at what is open only', () => {
    const buffers = new BufferLimits(LIMITS)
    const gone = streamWith(1000)
    buffers.add(gone, 'peer')
    buffers.delete(gone)
    buffers.check()

    expect(gone.isClosed).toBe(false)
  })

  it('looks again and again while something is buffered, without being told (N9d)', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })

    try {
      const buffers = new BufferLimits(LIMITS)
      const stuck = streamWith(1, performance.now())
      buffers.add(stuck, 'peer')
      buffers.scheduleCheck()
      vi.advanceTimersByTime(MAX_STUCK_MS)
      expect(stuck.isClosed).toBe(false)
      vi.advanceTimersByTime(1000)
      expect(stuck.isClosed).toBe(true)
      buffers.stop()
    } finally {
      vi.useRealTimers()
    }
  })
})
