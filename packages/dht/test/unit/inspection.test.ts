import { plainRecord, recordKey } from '@waggle/record'
import { describe, expect, it } from 'vitest'
import { operations } from '../support/simulated-operations.ts'
import { Simulation, START } from '../support/simulated-replicas.ts'

/** Two values whose records have digests with equal first 32 bits. */
const ALIKE = [18_624, 134_137] as const

describe('inspect', () => {
  it('tells records apart whose shown digests are the same', async () => {
    const key = recordKey('key')
    const net = new Simulation(key, { size: 4 })

    for (const [rank, value] of ALIKE.entries()) {
      net.peers[rank]?.store.apply(key, plainRecord(value, START + 1000))
    }

    const { peers } = await operations(net).inspect('key')
    const [first, second] = peers
    expect(first?.digest).toBe(second?.digest)
    expect([first?.state, second?.state].toSorted()).toEqual(['behind', 'current'])
  })
})
