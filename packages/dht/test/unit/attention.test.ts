import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Attention, type Inquiry } from '../../src/admission/scheduler.ts'

const RATES = { maxKeysPerSecondPerPeer: 100, maxKeysPerSecond: 1000 }

function inquiry(differences: Partial<Inquiry<string>> = {}): Inquiry<string> {
  return { peer: 'a', keys: 2, answer: answer(), isWanted: () => true, ...differences }
}

function* answer(): Generator<undefined, string> {
  yield
  return 'answer'
}

describe('Attention', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  it('answers as soon as the peer may ask for so much (N9f)', async () => {
    const attention = new Attention(RATES)
    expect(await attention.pay(inquiry({ keys: 200 }))).toBe('answer')

    let isAnswered = false
    const late = attention.pay(inquiry()).finally(() => {
      isAnswered = true
    })
    expect(await attention.pay(inquiry({ peer: 'b' }))).toBe('answer')
    await vi.advanceTimersByTimeAsync(900)
    expect(isAnswered).toBe(false)
    await vi.advanceTimersByTimeAsync(200)
    expect(await late).toBe('answer')
  })

  it('counts keys for all protocols together (N9f)', async () => {
    const attention = new Attention(RATES)
    await attention.pay(inquiry({ keys: 200 }))

    expect(attention.admission.admits('a', 1)).toBe(false)
  })

  it('does nothing for who has gone', async () => {
    const attention = new Attention(RATES)
    await attention.pay(inquiry({ keys: 200 }))
    let isWanted = true
    const late = attention.pay(inquiry({ isWanted: () => isWanted }))
    isWanted = false
    await vi.advanceTimersByTimeAsync(100)

    expect(await late).toBeUndefined()
  })

  it('rejects with what goes wrong, and goes on', async () => {
    const attention = new Attention(RATES)
    const failing = inquiry({
      // biome-ignore lint/correctness/useYield: it fails before
      answer: (function* () {
        throw new Error('no answer')
      })()
    })

    await expect(attention.pay(failing)).rejects.toThrow('no answer')
    expect(await attention.pay(inquiry())).toBe('answer')
  })
})
