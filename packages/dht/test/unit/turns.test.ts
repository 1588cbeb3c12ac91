import process from 'node:process'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { CpuShares } from '../../src/admission/cpu-shares.ts'
import { TURN_MS, Turns } from '../../src/admission/turns.ts'
import { atEndOfTurn } from '../../src/timing/end-of-turn.ts'

function endOfTurn(): Promise<void> {
  return new Promise((resolve) => atEndOfTurn(resolve))
}

/** Stops the process's clock, so that no other program on the machine counts. Returns a function that moves it. */
function stoppedClock(): (ms: number) => void {
  let nowMs = 0
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs)
  return (ms) => {
    nowMs += ms
  }
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe('Turns', () => {
  it.each<[string, (addAll: () => void) => Promise<void>]>([
    ['a microtask', async (addAll) => addAll()],
    ['a task', (addAll) => new Promise((resolve) => setTimeout(() => resolve(addAll())))],
    ['a tick', (addAll) => new Promise((resolve) => process.nextTick(() => resolve(addAll())))]
  ])(
    'begins a task when all that the one before it caused has run, from %s (N13a)',
    async (_, add) => {
      const turns = new Turns()
      const steps: string[] = []
      const work = async (peer: string): Promise<void> => {
        steps.push(`${peer} begins`)
        await Promise.resolve()
        await Promise.resolve()
        steps.push(`${peer} ends`)
      }
      const addAll = (): void => {
        for (const peer of ['a', 'b']) {
          turns.add(peer, () => void work(peer))
        }
      }

      await add(addAll)

      // A turn that others hold up for long leaves the second task to the next one.
      for (let loops = 0; loops < 100 && steps.length < 4; loops++) {
        await endOfTurn()
      }

      expect(steps).toEqual(['a begins', 'a ends', 'b begins', 'b ends'])
    }
  )

  it('begins as many tasks in a turn of the event loop as fit, so that a busy process answers all (N13a)', async () => {
    const busyForMs = stoppedClock()
    const turns = new Turns()
    let begun = 0

    for (let i = 0; i < 100; i++) {
      turns.add(`peer ${i}`, () => {
        begun++
        busyForMs(TURN_MS / 8)
      })
    }

    let loops = 0

    for (; begun < 100; loops++) {
      await endOfTurn()
    }

    expect(loops).toBe(Math.ceil(100 / 8))
  })

  it('begins no other task in a turn that has taken long, for any peer (N13a)', async () => {
    const busyForMs = stoppedClock()
    const turns = new Turns()
    const begun: string[] = []

    for (const peer of ['a', 'a', 'b']) {
      turns.add(peer, () => {
        begun.push(peer)
        busyForMs(TURN_MS)
      })
    }

    await Promise.resolve()
    process.nextTick(() => turns.add('c', () => begun.push('c')))
    await new Promise((resolve) => process.nextTick(resolve))
    expect(begun).toEqual(['a'])
    await endOfTurn()
    expect(begun).toHaveLength(2)
    await endOfTurn()
    expect(begun).toHaveLength(3)
  })

  it('begins more tasks in a turn where turns are long, because the process has much else to do (N13a)', async () => {
    const busyForMs = stoppedClock()
    const turns = new Turns()
    const count = 400
    let begun = 0

    for (let i = 0; i < count; i++) {
      turns.add(`peer ${i}`, () => {
        begun++
        busyForMs(0.25)
      })
    }

    let loops = 0

    for (; begun < count; loops++) {
      busyForMs(50)
      await endOfTurn()
    }

    // A quarter of 50 ms, in pieces of 0.25 ms. Two milliseconds a turn would take fifty.
    expect(loops).toBe(1 + count / 50)
  })

  it('gives each peer a turn before any has a second one (N13a)', async () => {
    const turns = new Turns()
    const begun: string[] = []

    for (const peer of ['a', 'a', 'a', 'a', 'b', 'c']) {
      turns.add(peer, () => begun.push(peer))
    }

    await expect.poll(() => begun.length).toBe(6)
    expect(begun.slice(0, 4).toSorted()).toEqual(['a', 'a', 'b', 'c'])
  })

  it('counts what goes on in microtasks as the time of the peer that caused it (N13a)', async () => {
    const busyForMs = stoppedClock()
    const shares = new CpuShares()
    const spent = vi.spyOn(shares, 'charge')
    const turns = new Turns(shares)
    turns.add('greedy', () => queueMicrotask(() => busyForMs(5)))
    await endOfTurn()

    const [[peer, tookMs] = []] = spent.mock.calls
    expect(peer).toBe('greedy')
    expect(tookMs).toBe(5)
  })

  it('lets a peer that has had its share wait while another one asks for little', async () => {
    const shares = new CpuShares()
    const turns = new Turns(shares)
    // A pause of the test would give the share back.
    const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now())
    shares.charge('greedy', 2, performance.now())
    for (let i = 0; i < 20; i++) {
      shares.charge('greedy', 2, performance.now())
    }
    shares.noteRequest('modest', performance.now())
    const begun: string[] = []
    turns.add('greedy', () => begun.push('greedy'))
    turns.add('modest', () => {
      begun.push('modest')
      clock.mockRestore()
    })
    await expect.poll(() => begun.length).toBe(2)

    expect(begun).toEqual(['modest', 'greedy'])
  })
})
