import type { Connection, Stream } from '@libp2p/interface'
import { describe, expect, it } from 'vitest'
import { PUSHES_AT_ONCE, pushGuard } from '../../src/node/identify-push.ts'
import { peerNumber } from '../support/numbered-peers.ts'

/** Counts the pushes of one peer that are accepted. */
function letIn(guard: ReturnType<typeof pushGuard>, peer: number, times: number): number {
  const connection = { remotePeer: peerNumber(peer) } as unknown as Connection
  let count = 0

  for (let i = 0; i < times; i++) {
    try {
      guard(connection, {} as Stream)
      count++
    } catch {
      // It is too often.
    }
  }

  return count
}

describe('what a peer tells of itself', () => {
  it('is let in now and then (N13b)', () => {
    let nowMs = 0
    const guard = pushGuard(() => nowMs)
    expect(letIn(guard, 1, 1000)).toBe(PUSHES_AT_ONCE)
    expect(letIn(guard, 2, 1)).toBe(1)
    nowMs = 3000
    expect(letIn(guard, 1, 1000)).toBe(3)
  })
})
