import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Observations } from '../../src/scenarios/chaos/observations.ts'
import { Ledger, type Write } from '../../src/scenarios/churn/ledger.ts'

const PLACE = 'record 0'

describe('Observations', () => {
  let ledger: Ledger
  let reader: Observations

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'] })
    ledger = new Ledger({ records: 1, brief: 0, briefTtl: 0 })
    reader = new Observations(ledger)
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  /** Writes a second after the last write; returns its expiration. */
  function write({ isDeletion = false } = {}): number {
    vi.setSystemTime(Date.now() + 1000)
    const { expirationTime } = ledger.begin(PLACE, { isDeletion }) as Write
    return endOf(expirationTime)
  }

  function endOf(expirationTime: number): number {
    ledger.end({ key: PLACE, value: '', expirationTime, beganMs: 0 }, false)
    return expirationTime
  }

  function isForward(expirationTime: number | undefined): boolean {
    return reader.note(reader.glance(PLACE), expirationTime)
  }

  it('detects a read that goes back', () => {
    const [first, second] = [write(), write()]

    expect(isForward(first)).toBe(true)
    expect(isForward(second)).toBe(true)
    expect(isForward(second)).toBe(true)
    expect(isForward(first)).toBe(false)
  })

  it('allows nothing to be read until something was', () => {
    const first = write()

    expect(isForward(undefined)).toBe(true)
    expect(isForward(first)).toBe(true)
    expect(isForward(undefined)).toBe(false)
  })

  it('detects a value that returns after its deletion', () => {
    const first = write()
    expect(isForward(first)).toBe(true)
    write({ isDeletion: true })

    expect(isForward(undefined)).toBe(true)
    expect(isForward(first)).toBe(false)
  })

  it('takes nothing for the first deletion that explains it', () => {
    write({ isDeletion: true })
    const second = write()
    write({ isDeletion: true })

    expect(isForward(undefined)).toBe(true)
    expect(isForward(second)).toBe(true)
    expect(isForward(undefined)).toBe(true)
    expect(isForward(second)).toBe(false)
  })

  it('compares a read with those that had ended when it began', () => {
    const [first, second] = [write(), write()]
    const glance = reader.glance(PLACE)

    expect(isForward(second)).toBe(true)
    expect(reader.note(glance, first)).toBe(true)
    expect(isForward(first)).toBe(false)
  })
})
