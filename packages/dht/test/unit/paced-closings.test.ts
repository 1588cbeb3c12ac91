import { type MultiaddrConnection, StreamAbortEvent, StreamCloseEvent } from '@libp2p/interface'
import { TypedEventEmitter } from 'main-event'
import { describe, expect, it } from 'vitest'
import { PacedClosings } from '../../src/transport/paced-closings.ts'
import { busyFor } from '../support/busy-for.ts'

const BUSY_MS = 2

/** Milliseconds that ends may take in one turn. */
const MAX_TURN_MS = 5

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
    const numbers = Array.from({ length: 40 }, (_, i) => i)
    const connections = numbers.map((i) => {
      const one = connection()
      closings.pace(one).addEventListener('close', () => {
        busyFor(BUSY_MS)
        told.push(i)
      })
      return one
    })
    connections.forEach(end)
    expect(told[0]).toBe(0)
    let most = told.length

    while (told.length < numbers.length) {
      const before = told.length
      await new Promise((resolve) => setImmediate(resolve))
      most = Math.max(most, told.length - before)
    }

    expect(told).toEqual(numbers)
    // Those of two turns may lie between two looks.
    expect(most).toBeLessThanOrEqual(2 * Math.ceil(MAX_TURN_MS / BUSY_MS))
  })

  it('wait for no more turns than they fill, whatever other work there is (N10a)', async () => {
    const closings = new PacedClosings()
    const count = 100
    let told = 0

    for (let i = 0; i < count; i++) {
      const one = connection()
      closings.pace(one).addEventListener('close', () => told++)
      end(one)
    }

    busyFor(10 * MAX_TURN_MS)
    await new Promise((resolve) => setTimeout(resolve))
    expect(told).toBe(count)
  })

  it('are told at once where this side ends a connection, whatever waits', () => {
    const closings = new PacedClosings()
    const told: string[] = []
    const [gone, late, own] = [connection(), connection(), connection()]

    for (const [name, one] of Object.entries({ gone, late, own })) {
      closings.pace(one).addEventListener('close', () => {
        busyFor(2 * MAX_TURN_MS)
        told.push(name)
      })
    }

    end(gone)
    end(late)
    own.dispatchEvent(new StreamAbortEvent(new Error('stopped')))

    expect(told).toEqual(['gone', 'own'])
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
