import type { Found } from '@waggle/dht'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Ledger, type Writing } from '../../src/scenarios/churn/ledger.ts'

const LASTING = 'record 0'
const BRIEF = 'brief record 0'
const BRIEF_TTL = 10

describe('Ledger', () => {
  let ledger: Ledger

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'] })
    ledger = new Ledger({ lasting: 1, brief: 1, briefTtl: BRIEF_TTL })
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  /** A second later than what came before. */
  function write(key: string, { isDeletion = false, isAcknowledged = true } = {}): Found {
    vi.setSystemTime(Date.now() + 1000)
    const writing = ledger.begin(key, { isDeletion }) as Writing
    ledger.end(writing, isAcknowledged)
    return { value: writing.value ?? '', expirationTime: writing.expirationTime }
  }

  it('takes for the last state what was acknowledged last', () => {
    const first = write(LASTING)
    const second = write(LASTING)

    expect(ledger.judgeLast(LASTING, second)).toBe('right')
    expect(ledger.judgeLast(LASTING, first)).toBe('stale')
    expect(ledger.judgeLast(LASTING, undefined)).toBe('missing')
  })

  it('lets what was not acknowledged be the last state, or not', () => {
    const acknowledged = write(LASTING)
    const other = write(LASTING, { isAcknowledged: false })

    expect(ledger.judgeLast(LASTING, acknowledged)).toBe('right')
    expect(ledger.judgeLast(LASTING, other)).toBe('right')
  })

  it('knows what was never written', () => {
    const { value } = write(LASTING)
    const { expirationTime } = write(LASTING)

    expect(ledger.judgeLast(LASTING, { value, expirationTime })).toBe('false')
    expect(ledger.judgeLast(LASTING, { value, expirationTime: expirationTime + 1 })).toBe('false')
  })

  it('wants nothing to be left of what was deleted, until it is written again', () => {
    const before = write(BRIEF)
    const deletion = write(BRIEF, { isDeletion: true })
    expect(ledger.judgeLast(BRIEF, undefined)).toBe('right')
    expect(ledger.judgeLast(BRIEF, before)).toBe('stale')
    expect(ledger.judgeLast(BRIEF, deletion)).toBe('false')

    const after = write(BRIEF)
    expect(ledger.judgeLast(BRIEF, after)).toBe('right')
    expect(ledger.judgeLast(BRIEF, undefined)).toBe('missing')
  })

  it('lets a deletion that was not acknowledged leave nothing, or what was there', () => {
    const before = write(BRIEF)
    write(BRIEF, { isDeletion: true, isAcknowledged: false })

    expect(ledger.judgeLast(BRIEF, undefined)).toBe('right')
    expect(ledger.judgeLast(BRIEF, before)).toBe('right')
  })

  it('wants nothing to be left of what has expired', () => {
    const found = write(BRIEF)
    expect(ledger.isBriefOver).toBe(false)
    expect(ledger.judgeLast(BRIEF, found)).toBe('right')
    expect(ledger.judgeLast(BRIEF, undefined)).toBe('missing')

    vi.setSystemTime(found.expirationTime * 1000)
    expect(ledger.isBriefOver).toBe(true)
    expect(ledger.judgeLast(BRIEF, found)).toBe('stale')
    expect(ledger.judgeLast(BRIEF, undefined)).toBe('right')
  })

  it('begins no second write of a key while one is under way', () => {
    const writing = ledger.begin(LASTING, { isDeletion: false }) as Writing
    expect(ledger.begin(LASTING, { isDeletion: false })).toBeUndefined()
    ledger.end(writing, true)
    expect(ledger.begin(LASTING, { isDeletion: false })).toBeDefined()
  })
})
