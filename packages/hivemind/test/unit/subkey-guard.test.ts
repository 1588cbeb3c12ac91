import { describe, expect, it } from 'vitest'
import { textOf } from '../../src/bytes/latin1.ts'
import { encodeValue } from '../../src/msgpack/msgpack-writer.ts'
import { float, type HivemindKey } from '../../src/msgpack/python-types.ts'
import { SubkeyGuard } from '../../src/operations/subkey-guard.ts'

function checked(...writes: readonly (readonly [HivemindKey, number])[]): void {
  const guard = new SubkeyGuard()

  for (const [subkey, expirationTime] of writes) {
    guard.check('key', textOf(encodeValue(subkey)), expirationTime)
  }
}

describe('SubkeyGuard', () => {
  it('lets pass what Python reads', () => {
    expect(() => checked(['a', 1], ['b', 1], ['a', 1])).not.toThrow()
    expect(() => checked(['a', 1], [1, 2], [2, 2])).not.toThrow()
  })

  it.each<[string, HivemindKey, HivemindKey]>([
    ['0 and False', 0, false],
    ['1 and 1.0', 1, float(1)]
  ])('refuses %s, which are one subkey', (_, a, b) => {
    expect(() => checked([a, 1], [b, 2])).toThrow(/one subkey/)
  })

  it('refuses subkeys that Python cannot compare and that expire at the same moment', () => {
    expect(() => checked(['a', 1], [1, 1])).toThrow(/expire at the same moment/)
  })
})
