import { describe, expect, it, vi } from 'vitest'
import { Door, doorOf } from '../../src/door/door.ts'
import { overriding } from '../../src/door/overriding.ts'
import { delimited, messagesUpTo, piecesUpTo } from '../../src/door/units.ts'
import { DEFAULT_NODE_LIMITS } from '../../src/node-limits.ts'
import { ByteQueue } from '../../src/wire/byte-queue.ts'
import { ProtocolViolationError } from '../../src/wire/protocol-violation-error.ts'
import { peerNumber } from '../support/numbered-peers.ts'

function queueOf(...pieces: readonly number[][]): ByteQueue {
  const queue = new ByteQueue()

  for (const piece of pieces) {
    queue.push(Uint8Array.from(piece))
  }

  return queue
}

describe('ByteQueue', () => {
  it('gives bytes in the order in which they came, however they were cut', () => {
    const queue = queueOf([1, 2], [3], [], [4, 5, 6])
    expect([...queue.take(4)]).toEqual([1, 2, 3, 4])
    queue.push(Uint8Array.of(7))
    expect(queue.length).toBe(3)
    expect([queue.at(0), queue.at(2), queue.at(3)]).toEqual([5, 7, undefined])
    expect([...queue.take(3)]).toEqual([5, 6, 7])
  })

  it('never writes over what was taken', () => {
    const queue = queueOf([1, 2, 3])
    queue.settle()
    const taken = queue.take(2)
    queue.push(Uint8Array.of(9, 9, 9, 9))
    expect([...taken]).toEqual([1, 2])
  })

  it('keeps a copy of what stays, and not the memory that it came in (N13b)', () => {
    const large = new Uint8Array(65_536).fill(7)
    const queue = new ByteQueue()
    queue.push(large)
    queue.take(65_530)
    queue.settle()
    large.fill(0)

    const rest = queue.take(6)
    expect([...rest]).toEqual([7, 7, 7, 7, 7, 7])
    expect(rest.buffer.byteLength).toBeLessThan(100)
  })

  it('takes as much memory for many small pieces as for their bytes (N13b)', () => {
    const queue = new ByteQueue()

    for (let i = 0; i < 10_000; i++) {
      queue.push(Uint8Array.of(i))
    }

    queue.settle()
    expect(queue.take(10_000).buffer.byteLength).toBeLessThan(40_000)
  })
})

describe('messagesUpTo', () => {
  const cut = messagesUpTo(300)

  it('finds a message once all of it is there', () => {
    const message = delimited(new Uint8Array(200))
    expect(cut(queueOf([...message.subarray(0, -1)]))).toBeUndefined()
    expect(cut(queueOf([...message]))).toEqual({ headBytes: 2, bytes: 200 })
  })

  it('refuses one that is too large before it has come (N13b)', () => {
    expect(() => cut(queueOf([...delimited(new Uint8Array(301)).subarray(0, 2)]))).toThrow(
      'a message has 301 bytes, at most 300 are allowed'
    )
  })

  it('refuses a length that has no end (N13b)', () => {
    expect(() => cut(queueOf([0xff, 0xff, 0xff, 0xff, 0xff]))).toThrow(ProtocolViolationError)
  })
})

describe('piecesUpTo', () => {
  it('takes what is there, and no more at once (N13a)', () => {
    const cut = piecesUpTo(4)
    expect(cut(queueOf([]))).toBeUndefined()
    expect(cut(queueOf([1, 2]))).toEqual({ headBytes: 0, bytes: 2 })
    expect(cut(queueOf([1, 2, 3, 4, 5]))).toEqual({ headBytes: 0, bytes: 4 })
  })
})

describe('Door', () => {
  const malformed = new ProtocolViolationError('no message')

  function doorThatBans(): { door: Door; banned: string[] } {
    const banned: string[] = []
    const door = new Door()
    door.open({
      limits: DEFAULT_NODE_LIMITS,
      onViolation: (peer) => banned.push(peer.toString())
    })
    return { door, banned }
  }

  it('takes a few malformed messages for mistakes, and more for a violation (N13d)', () => {
    const { door, banned } = doorThatBans()
    const peer = peerNumber(1)

    for (let i = 0; i < 8; i++) {
      door.reportFault(peer, malformed)
    }

    expect(banned).toEqual([])
    door.reportFault(peer, malformed)
    expect(banned).toEqual([peer.toString()])
  })

  it('counts malformed messages of each peer by itself (N13d)', () => {
    const { door, banned } = doorThatBans()

    for (let i = 0; i < 50; i++) {
      door.reportFault(peerNumber(i), malformed)
    }

    expect(banned).toEqual([])
  })

  it('never takes what a node does not serve for a violation (N13d)', () => {
    const { door, banned } = doorThatBans()

    for (let i = 0; i < 100; i++) {
      door.reportFault(peerNumber(1), new Error('this node keeps no note of providers'))
    }

    expect(banned).toEqual([])
  })

  it('tells all services of a node of a violation, until they stop (N13d)', () => {
    const { door, banned } = doorThatBans()
    const stopping = new AbortController()
    const told: string[] = []
    door.open({
      limits: DEFAULT_NODE_LIMITS,
      lifetime: stopping.signal,
      onViolation: (peer) => told.push(peer.toString())
    })
    door.reportViolation(peerNumber(1), malformed)
    stopping.abort()
    door.reportViolation(peerNumber(2), malformed)

    expect(told).toEqual([peerNumber(1).toString()])
    expect(banned).toEqual([peerNumber(1).toString(), peerNumber(2).toString()])
  })

  it('keeps the limits of its first service, whose requests and bytes it has counted (N13a)', () => {
    const { door } = doorThatBans()
    const { buffers, scheduler } = door
    door.open({ limits: { ...DEFAULT_NODE_LIMITS, maxBufferedBytes: 1 }, onViolation: () => {} })

    expect([door.buffers, door.scheduler, door.limits]).toEqual([
      buffers,
      scheduler,
      DEFAULT_NODE_LIMITS
    ])
    expect(door.buffers).toBe(buffers)
  })

  it('checks its buffers as long as any service runs, those from before the first one, too (N9d)', () => {
    vi.useFakeTimers()

    try {
      const door = new Door()
      const [first, second] = [new AbortController(), new AbortController()]
      let bufferedBytes = 0
      let closed = 0
      const stream = {
        get bufferedBytes() {
          return bufferedBytes
        },
        stuckSinceMs: undefined,
        close: () => closed++
      }
      door.buffers.add(stream, 'peer')
      const limits = { ...DEFAULT_NODE_LIMITS, maxBufferedBytesPerPeer: 10 }

      for (const { signal } of [first, second]) {
        door.open({ limits, onViolation() {}, lifetime: signal })
      }

      bufferedBytes = 11
      door.buffers.scheduleCheck()
      first.abort()
      vi.advanceTimersByTime(300)
      expect(closed).toBe(1)
      second.abort()
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  it('is one for all services of a node, and another one for each node (N13a)', () => {
    const [events, others] = [{}, {}]
    expect(doorOf({ events })).toBe(doorOf({ events }))
    expect(doorOf({ events })).not.toBe(doorOf({ events: others }))
  })
})

describe('overriding', () => {
  class Counter {
    #count = 0
    readonly log = Object.assign(() => 'logged', { extra: 1 })
    add(): number {
      return ++this.#count
    }
    name(): string {
      return 'counter'
    }
  }

  it('replaces some members, and calls all others on the object itself', () => {
    const counter = overriding<Counter>(new Counter(), { name: () => 'another' })
    expect([counter.name(), counter.add(), counter.add()]).toEqual(['another', 1, 2])
  })

  it('leaves functions that the object merely holds as they are', () => {
    expect(overriding<Counter>(new Counter(), {}).log.extra).toBe(1)
  })
})
