import { describe, expect, it } from 'vitest'
import { figure } from '../../src/result/figure.ts'

describe('figure', () => {
  it.each([
    [0, '0'],
    [3, '3'],
    [12_345, '12,345'],
    [1_234.5, '1,235'],
    [99.94, '99.9'],
    [1.2345, '1.23'],
    [0.12345, '0.12'],
    [0.0012345, '0.0012'],
    [0.00012345, '1.2e-4']
  ])('shows %d as %s', (value, text) => {
    expect(figure(value)).toBe(text)
  })
})
