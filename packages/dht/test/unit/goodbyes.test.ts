import { describe, expect, it, vi } from 'vitest'
import { Goodbyes } from '../../src/connections/goodbyes.ts'
import { peerNumber } from '../support/numbered-peers.ts'

const peer = peerNumber(1)

describe('Goodbyes', () => {
  function goodbyes(isOpen: readonly boolean[]) {
    const sent: string[] = []
    const [onIdle, onLeaving] = [vi.fn(), vi.fn()]
    const onStream = isOpen.map((is, i) => () => {
      is && sent.push(`stream ${i}`)
      return is
    })
    const onNewStream = async (): Promise<void> => {
      sent.push('a new stream')
    }
    const said = new Goodbyes({ onStream, onNewStream, onIdle, onLeaving })
    return { said, sent, onIdle, onLeaving }
  }

  it.each([
    [[true, true], 'stream 0'],
    [[false, true], 'stream 1'],
    [[false, false], 'a new stream']
  ])('are said on one stream, if any is open: %j (N10c)', async (isOpen, expected) => {
    const { said, sent } = goodbyes(isOpen)
    await said.say(peer, 'idle')
    expect(sent).toEqual([expected])
    expect(said.has(peer)).toBe(true)
  })

  it('tell leaving peers from idle ones (N10c)', () => {
    const { said, onIdle, onLeaving } = goodbyes([])
    said.hear(peer, 'idle')
    expect(said.has(peer)).toBe(true)
    expect(onIdle).toHaveBeenCalledExactlyOnceWith(peer)
    expect(onLeaving).not.toHaveBeenCalled()
    said.hear(peer, 'leaving')
    expect(onLeaving).toHaveBeenCalledExactlyOnceWith(peer)
  })

  it('count for the connection that is being closed, not for later ones (N10c)', () => {
    vi.useFakeTimers({ toFake: ['performance'] })

    try {
      const { said } = goodbyes([])
      expect(said.has(peer)).toBe(false)
      said.hear(peer, 'idle')
      vi.advanceTimersByTime(60_000)
      expect(said.has(peer)).toBe(false)
    } finally {
      vi.useRealTimers()
    }
  })
})
