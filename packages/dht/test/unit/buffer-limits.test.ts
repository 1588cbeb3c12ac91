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
  it('ends the largest streams of a peer that makes this node hold too much, and no more than it must (N9d)', () => {
    const buffers = new BufferLimits(LIMITS)
    const streams = [20, 40, 30, 20].map((bytes) => streamWith(bytes))

    for (const stream of streams) {
      buffers.add(stream, 'much')
    }

    const other = streamWith(90)
    buffers.add(other, 'less')
    buffers.check()
    buffers.stop()

    expect([...streams, other].map(({ isClosed }) => isClosed)).toEqual([
      ...[false, true, false, false],
      false
    ])
  })

  it('looks at once when much has arrived since it looked, if anything is buffered (N9d)', () => {
    const buffers = new BufferLimits(LIMITS)
    const stream = streamWith(101)
    buffers.add(stream, 'peer')
    buffers.countArrived(1000)
    expect(stream.isClosed).toBe(false)
    buffers.scheduleCheck()
    buffers.countArrived(1)
    expect(stream.isClosed).toBe(true)

    const next = streamWith(101)
    buffers.add(next, 'peer')
    buffers.countArrived(LIMITS.maxBufferedBytesPerPeer / 8)
    expect(next.isClosed).toBe(false)
    buffers.countArrived(1)
    expect(next.isClosed).toBe(true)
    buffers.stop()
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
