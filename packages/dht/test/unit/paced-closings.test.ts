import { type MultiaddrConnection, StreamAbortEvent, StreamCloseEvent } from '@libp2p/interface'
import { TypedEventEmitter } from 'main-event'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { PacedClosings, toldEarly } from '../../src/transport/paced-closings.ts'
import { busyFor } from '../support/busy-for.ts'

const BUSY_MS = 2

function connection(): MultiaddrConnection {
  return new TypedEventEmitter() as unknown as MultiaddrConnection
}

function end(one: MultiaddrConnection): void {
  one.dispatchEvent(new StreamCloseEvent(false, new Error('reset')))
}

describe('PacedClosings', () => {
  it('leave time for other work between the ends of many connections', async () => {
    const closings = new PacedClosings()
    const told: number[] = []
    const numbers = Array.from({ length: 8 }, (_, i) => i)
    const connections = numbers.map((i) => {
      const one = connection()
      closings.pace(one).addEventListener('close', () => {
        busyFor(BUSY_MS)
        told.push(i)
      })
      return one
    })
    connections.forEach(end)
    expect(told).toEqual([0])

    let turns = 0

    while (told.length < numbers.length) {
      const before = told.length
      await new Promise((resolve) => setImmediate(resolve))
      expect(told.length - before).toBeLessThanOrEqual(1)
      turns++
    }

    expect(told).toEqual(numbers)
    expect(turns).toBeGreaterThan(numbers.length)
  })

  it('wait for a tenth of a second at most, whatever other work there is (N10a)', async () => {
    const closings = new PacedClosings()
    const count = 300
    let told = 0

    for (let i = 0; i < count; i++) {
      const one = connection()
      closings.pace(one).addEventListener('close', () => {
        busyFor(0.6)
        told++
      })
      end(one)
    }

    let turns = 0

    for (; told < count; turns++) {
      busyFor(20)
      await new Promise((resolve) => setTimeout(resolve))
    }

    // One in each turn would be as many turns as connections.
    expect(turns).toBeLessThan(count / 5)
  })

  it('are told at once where this side ends a connection, whatever waits', () => {
    const closings = new PacedClosings()
    const told: string[] = []
    const [gone, late, own] = [connection(), connection(), connection()]

    for (const [name, one] of Object.entries({ gone, late, own })) {
      closings.pace(one).addEventListener('close', () => {
        busyFor(BUSY_MS)
        told.push(name)
      })
    }

    end(gone)
    end(late)
    own.dispatchEvent(new StreamAbortEvent(new Error('stopped')))

    expect(told).toEqual(['gone', 'own'])
  })

  it('keep the process alive until all are told, as a node that stops waits for them', async () => {
    const timers = vi.spyOn(globalThis, 'setTimeout')
    onTestFinished(() => timers.mockRestore())
    const closings = new PacedClosings()
    let told = 0

    for (const one of [connection(), connection()]) {
      closings.pace(one).addEventListener('close', () => {
        busyFor(10 * BUSY_MS)
        told++
      })
      end(one)
    }

    await new Promise((resolve) => setImmediate(resolve))
    expect(told).toBe(1)
    expect(timers.mock.results[0]?.value.hasRef()).toBe(true)
    await vi.waitUntil(() => told === 2)
  })

  it('are told first to the layers that end streams', async () => {
    const closings = new PacedClosings()
    const told: string[] = []
    const names = ['a', 'b', 'c']
    const connections = names.map((name) => {
      const inner = connection()
      const paced = closings.pace(inner)
      toldEarly(paced).addEventListener('close', () => told.push(`streams of ${name}`))
      paced.addEventListener('close', () => {
        busyFor(BUSY_MS)
        told.push(name)
      })
      return inner
    })
    connections.forEach(end)
    expect(told[0]).toBe('streams of a')
    await vi.waitUntil(() => told.includes('c'))

    expect(told.filter((one) => one.startsWith('streams'))).toHaveLength(names.length)
    expect(told.indexOf('streams of c')).toBeLessThan(told.indexOf('b'))
    expect(toldEarly(connections[0] as MultiaddrConnection)).toBe(connections[0])
  })

  it('are told to the listeners that are there, each once', () => {
    const told: string[] = []
    const inner = connection()
    const paced = new PacedClosings().pace(inner)
    const left = (): number => told.push('left')
    const right = (): number => told.push('right')
    paced.addEventListener('close', left)
    paced.addEventListener('close', right)
    paced.addEventListener('close', right)
    paced.removeEventListener('close', left)
    end(inner)

    expect(told).toEqual(['right'])
  })
})
