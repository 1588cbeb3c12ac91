import { describe, expect, it } from 'vitest'
import { CallIds } from '../../src/rpc/call-ids.ts'
import { CALL_ID_BYTES } from '../../src/wire/envelope.ts'
import { hexOf } from '../support/hex.ts'

describe('CallIds', () => {
  it('never repeats an id, also not one of another node', () => {
    const [a, b] = [new CallIds(), new CallIds()]
    const ids = Array.from({ length: 500 }, () => [a.next(), b.next()]).flat()

    expect(new Set(ids.map(hexOf)).size).toBe(1000)
    expect(ids.every(({ length }) => length === CALL_ID_BYTES)).toBe(true)
  })
})
