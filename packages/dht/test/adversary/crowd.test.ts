import { describe, it } from 'vitest'
import { expectToWithstandCrowd } from './crowd.ts'

describe('many ids on one machine', () => {
  it('neither keep newcomers out nor displace neighbours (N10a, N10b)', { timeout: 180_000 }, () =>
    expectToWithstandCrowd({ ids: 36, honest: 4, maxConnections: 24 })
  )
})
