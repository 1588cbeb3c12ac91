import { describe, expect, it, vi } from 'vitest'
import { ACCESS_MEMORY_MS, Access, type AllowPeer, accessBy } from '../../src/peers/access.ts'
import { peerNumber } from '../support/numbered-peers.ts'

const peer = peerNumber(1)

describe('Access', () => {
  it('allows everything to everybody where nothing is said', () => {
    expect(new Access().allows(peer, 'connect')).toBe(true)
    expect(new Access().allows(peer, 'write')).toBe(true)
  })

  it('asks what was said, for each peer and purpose', async () => {
    const access = new Access((id, purpose) => purpose === 'connect' && id.equals(peer))

    expect(access.allows(peer, 'connect')).toBe(true)
    expect(access.allows(peer, 'write')).toBe(false)
    expect(access.allows(peerNumber(2), 'connect')).toBe(false)
  })

  it('is one memory for all that ask the same function', () => {
    const allowPeer = vi.fn(() => true)
    expect(accessBy(allowPeer).allows(peer, 'connect')).toBe(true)
    expect(accessBy(allowPeer).allows(peer, 'connect')).toBe(true)
    expect(allowPeer).toHaveBeenCalledTimes(1)
    expect(accessBy(() => false).allows(peer, 'connect')).toBe(false)
    expect(accessBy(undefined).allows(peer, 'connect')).toBe(true)
  })

  it('waits for an answer, and then has it at once', async () => {
    const access = new Access(async () => true)

    expect(await access.allows(peer, 'write')).toBe(true)
    expect(access.allows(peer, 'write')).toBe(true)
  })

  it('asks again after a while, and not before', () => {
    let nowMs = 0
    const allowPeer = vi.fn(() => true)
    const access = new Access(allowPeer, () => nowMs)
    expect(access.allows(peer, 'write')).toBe(true)
    nowMs = ACCESS_MEMORY_MS - 1
    expect(access.allows(peer, 'write')).toBe(true)
    expect(allowPeer).toHaveBeenCalledTimes(1)
    nowMs = ACCESS_MEMORY_MS
    expect(access.allows(peer, 'write')).toBe(true)
    expect(allowPeer).toHaveBeenCalledTimes(2)
  })

  it.each<[string, AllowPeer]>([
    [
      'throws',
      () => {
        throw new Error('no')
      }
    ],
    ['rejects', () => Promise.reject(new Error('no'))],
    ['answers something else', () => 'yes' as unknown as boolean],
    ['comes to something else', async () => 1 as unknown as boolean]
  ])('takes for a no what %s', async (_, allowPeer) => {
    expect(await new Access(allowPeer).allows(peer, 'write')).toBe(false)
  })

  it('takes for a no what never answers', async () => {
    vi.useFakeTimers()

    try {
      const allowed = new Access(() => new Promise(() => {})).allows(peer, 'write')
      await vi.advanceTimersByTimeAsync(3000)
      expect(await allowed).toBe(false)
    } finally {
      vi.useRealTimers()
    }
  })
})
