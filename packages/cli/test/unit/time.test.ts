import { describe, expect, it } from 'vitest'
import { parseDuration, parseMoment, shownDuration } from '../../src/text/time.ts'

describe('parseDuration', () => {
  it.each([
    ['600', 600],
    ['90s', 90],
    ['10m', 600],
    ['1.5h', 5400],
    ['7d', 604_800],
    ['0.2', 0.2]
  ])('reads %s', (text, seconds) => {
    expect(parseDuration(text, '--ttl')).toBe(seconds)
  })

  it.each(['', '0', '-5', '5 m', 'm', '1w', 'Infinity'])('refuses "%s"', (text) => {
    expect(() => parseDuration(text, '--ttl')).toThrow(/--ttl .* is not a duration/)
  })
})

describe('parseMoment', () => {
  it('reads Unix seconds and dates', () => {
    expect(parseMoment('1800000000.5', '-e')).toBe(1_800_000_000.5)
    expect(parseMoment('2027-01-15T08:00:00Z', '-e')).toBe(1_800_000_000)
  })
})

describe('shownDuration', () => {
  it.each([
    [0.25, '0.3 s'],
    [59, '59 s'],
    [3600, '60 min'],
    [7200, '2 h'],
    [2_592_000, '30 d']
  ])('shows %d seconds in one unit', (seconds, text) => {
    expect(shownDuration(seconds)).toBe(text)
  })
})
