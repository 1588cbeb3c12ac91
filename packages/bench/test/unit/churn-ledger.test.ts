import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Seen } from '../../src/nodes/nodes-main.ts'
import { Ledger, type Write } from '../../src/scenarios/churn/ledger.ts'

const LASTING = 'record 0'
const BRIEF = 'brief record 0'
const BRIEF_TTL = 10

describe('Ledger', () => {
  let ledger: Ledger

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'] })
    ledger = new Ledger({ records: 1, brief: 1, briefTtl: BRIEF_TTL })
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  /** Writes a second after the last write. */
  function write(key: string, { isDeletion = false, isAcknowledged = true } = {}): Seen {
    vi.setSystemTime(Date.now() + 1000)
    const writing = ledger.begin(key, { isDeletion }) as Write
    ledger.end(writing, isAcknowledged)
    return { value: writing.value ?? '', expirationTime: writing.expirationTime }
  }

  it('expects the last acknowledged write as the last state', () => {
    const first = write(LASTING)
    const second = write(LASTING)

    expect(ledger.judgeLast(LASTING, second)).toBe('right')
    expect(ledger.judgeLast(LASTING, first)).toBe('stale')
    expect(ledger.judgeLast(LASTING, undefined)).toBe('missing')
  })

  it('accepts an unacknowledged write as the last state, or the one before', () => {
    const acknowledged = write(LASTING)
    const other = write(LASTING, { isAcknowledged: false })

    expect(ledger.judgeLast(LASTING, acknowledged)).toBe('right')
    expect(ledger.judgeLast(LASTING, other)).toBe('right')
  })

  it('detects values that were never written', () => {
    const { value } = write(LASTING)
    const { expirationTime } = write(LASTING)

    expect(ledger.judgeLast(LASTING, { value, expirationTime })).toBe('false')
    expect(ledger.judgeLast(LASTING, { value, expirationTime: expirationTime + 1 })).toBe('false')
  })

  it('expects nothing of a deleted record, until it is written again', () => {
    const before = write(BRIEF)
    const deletion = write(BRIEF, { isDeletion: true })
    expect(ledger.judgeLast(BRIEF, undefined)).toBe('right')
    expect(ledger.judgeLast(BRIEF, before)).toBe('stale')
    expect(ledger.judgeLast(BRIEF, deletion)).toBe('false')

    const after = write(BRIEF)
    expect(ledger.judgeLast(BRIEF, after)).toBe('right')
    expect(ledger.judgeLast(BRIEF, undefined)).toBe('missing')
  })

  it('accepts nothing or the value before after an unacknowledged deletion', () => {
    const before = write(BRIEF)
    write(BRIEF, { isDeletion: true, isAcknowledged: false })

    expect(ledger.judgeLast(BRIEF, undefined)).toBe('right')
    expect(ledger.judgeLast(BRIEF, before)).toBe('right')
  })

  it('expects nothing of an expired record', () => {
    const found = write(BRIEF)
    expect(ledger.isBriefOver).toBe(false)
    expect(ledger.judgeLast(BRIEF, found)).toBe('right')
    expect(ledger.judgeLast(BRIEF, undefined)).toBe('missing')

    vi.setSystemTime(found.expirationTime * 1000)
    expect(ledger.isBriefOver).toBe(true)
    expect(ledger.judgeLast(BRIEF, found)).toBe('stale')
    expect(ledger.judgeLast(BRIEF, undefined)).toBe('right')
  })

  it('begins no second write of a key during another one', () => {
    const writing = ledger.begin(LASTING, { isDeletion: false }) as Write
    expect(ledger.begin(LASTING, { isDeletion: false })).toBeUndefined()
    ledger.end(writing, true)
    expect(ledger.begin(LASTING, { isDeletion: false })).toBeDefined()
  })
})
