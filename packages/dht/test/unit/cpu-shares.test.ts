import { describe, expect, it } from 'vitest'
import { CpuShares } from '../../src/admission/cpu-shares.ts'

/**
 * Lets peers ask, and serves them whenever they may be served, piece by piece. Returns their times.
 */
function served(shares: CpuShares, peers: readonly string[], forMs: number, fromMs = 0): number[] {
  const pieceMs = 0.5
  const gotMs = peers.map(() => 0)
  let nowMs = fromMs

  while (nowMs < fromMs + forMs) {
    const startMs = nowMs

    for (const [i, peer] of peers.entries()) {
      shares.noteRequest(peer, nowMs)

      if (!shares.isExhausted(peer, nowMs)) {
        nowMs += pieceMs
        shares.charge(peer, pieceMs, nowMs)
        gotMs[i] = (gotMs[i] ?? 0) + pieceMs
      }
    }

    nowMs += nowMs === startMs ? pieceMs : 0
  }

  return gotMs
}

/** Asks for little at one moment. */
function passBy(shares: CpuShares, nowMs: number): void {
  shares.noteRequest('light', nowMs)
  shares.charge('light', 0.01, nowMs)
}

describe('CpuShares', () => {
  it('leaves all of the time to one that is alone', () => {
    expect(served(new CpuShares(), ['a'], 1000)).toEqual([1000])
  })

  it('leaves a quarter of it to one beside another that asks for little (N9f)', () => {
    const shares = new CpuShares()
    let gotMs = 0

    for (let nowMs = 0; nowMs < 1000; nowMs += 10) {
      passBy(shares, nowMs)
      gotMs += served(shares, ['a'], 10, nowMs)[0] ?? 0
    }

    expect(gotMs).toBeGreaterThan(200)
    expect(gotMs).toBeLessThan(300)
  })

  it('leaves all of it to two that both ask for much', () => {
    const shares = new CpuShares()
    served(shares, ['a', 'b'], 300)
    const [a = 0, b = 0] = served(shares, ['a', 'b'], 1000, 300)

    expect(a + b).toBeGreaterThan(990)
  })

  it('gives all of it back when nobody has asked for little for a while', () => {
    const shares = new CpuShares()
    passBy(shares, 0)
    served(shares, ['a'], 90)
    expect(shares.isExhausted('a', 90)).toBe(true)
    expect(shares.isExhausted('a', 101)).toBe(false)
  })

  it('does not charge a peer for what kept everybody waiting', () => {
    const shares = new CpuShares()
    shares.charge('a', 500, 500)
    passBy(shares, 500)
    expect(shares.isExhausted('a', 500)).toBe(false)
  })

  it('remembers a limited number of peers, and begins anew with the others', () => {
    const shares = new CpuShares()
    const spendAll = (peer: string): void => {
      for (let i = 0; i < 10; i++) {
        shares.charge(peer, 2, 0)
      }
    }
    passBy(shares, 0)
    spendAll('first')
    expect(shares.isExhausted('first', 0)).toBe(true)

    for (let i = 0; i < 5000; i++) {
      spendAll(`peer ${i}`)
    }

    expect(shares.isExhausted('first', 0)).toBe(false)
    expect(shares.isExhausted('peer 4999', 0)).toBe(true)
  })
})
