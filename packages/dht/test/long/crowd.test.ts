import { describe, it } from 'vitest'
import { expectToWithstandCrowd } from '../adversary/crowd.ts'

describe('300 ids on one machine', () => {
  it('neither keep newcomers out nor displace neighbours (N10a, N10b)', { timeout: 900_000 }, () =>
    expectToWithstandCrowd({ ids: 300, honest: 12, maxConnections: 200 })
  )
})
