import { describe, expect, it } from 'vitest'
import { TableCheck } from '../../src/peers/table-check.ts'

describe('TableCheck', () => {
  it('takes the table for complete after many answers that name no unknown node', () => {
    const check = new TableCheck(() => 0)

    for (let i = 0; i < 15; i++) {
      check.record(true)
    }

    expect(check.isComplete).toBe(false)
    check.record(true)
    expect(check.isComplete).toBe(true)
  })

  it('doubts it as soon as one is named, and when no answer has come for a while', () => {
    let nowMs = 0
    const check = new TableCheck(() => nowMs)
    const confirm = (): void => {
      for (let i = 0; i < 16; i++) {
        check.record(true)
      }
    }

    confirm()
    check.record(false)
    expect(check.isComplete).toBe(false)

    confirm()
    nowMs = 30_000
    expect(check.isComplete).toBe(true)
    nowMs++
    expect(check.isComplete).toBe(false)
  })
})
