import { describe, expect, it, vi } from 'vitest'
import { CpuShares } from '../../src/admission/cpu-shares.ts'
import { Turns } from '../../src/admission/turns.ts'
import { atEndOfTurn } from '../../src/timing/end-of-turn.ts'

function endOfTurn(): Promise<void> {
  return new Promise((resolve) => atEndOfTurn(resolve))
}

describe('Turns', () => {
  it('begins one task in each turn of the event loop, whoever it is for (N13a)', async () => {
    const turns = new Turns()
    const begun: string[] = []

    for (const peer of ['a', 'a', 'b']) {
      turns.add(peer, () => begun.push(peer))
    }

    expect(begun).toEqual(['a'])
    await endOfTurn()
    expect(begun).toHaveLength(2)
    await endOfTurn()
    expect(begun).toHaveLength(3)
  })

  it('gives each peer a turn before any has a second one (N13a)', async () => {
    const turns = new Turns()
    const begun: string[] = []

    for (const peer of ['a', 'a', 'a', 'a', 'b', 'c']) {
      turns.add(peer, () => begun.push(peer))
    }

    while (begun.length < 6) {
      await endOfTurn()
    }

    expect(begun.slice(0, 4).toSorted()).toEqual(['a', 'a', 'b', 'c'])
  })

  it('counts what goes on in microtasks as the time of the peer that caused it (N13a)', async () => {
    const shares = new CpuShares()
    const spent = vi.spyOn(shares, 'charge')
    const turns = new Turns(shares)
    turns.add('greedy', () => queueMicrotask(() => busyForMs(5)))
    await endOfTurn()

    const [[peer, tookMs] = []] = spent.mock.calls
    expect(peer).toBe('greedy')
    expect(tookMs).toBeGreaterThanOrEqual(5)
  })

  it('lets a peer that has had its share wait while another one asks for little', async () => {
    const shares = new CpuShares()
    const turns = new Turns(shares)
    shares.charge('greedy', 2, performance.now())
    for (let i = 0; i < 20; i++) {
      shares.charge('greedy', 2, performance.now())
    }
    shares.noteRequest('modest', performance.now())
    const begun: string[] = []
    turns.add('greedy', () => begun.push('greedy'))
    turns.add('modest', () => begun.push('modest'))
    await expect.poll(() => begun.length).toBe(2)

    expect(begun).toEqual(['modest', 'greedy'])
  })
})

function busyForMs(ms: number): void {
  for (const startMs = performance.now(); performance.now() - startMs < ms; );
}
