import { EMPTY_RECORD, recordKey, subkeyRecord } from '@waggle/record'
import { describe, expect, it } from 'vitest'
import { DEFAULT_NUM_REPLICAS, SEARCH_WIDTH } from '../../src/constants.ts'
import { ACTIVE } from '../support/cancellation.ts'
import { turns } from '../support/end-of-turn.ts'
import { Simulation, START } from '../support/simulated-replicas.ts'

const KEY = recordKey('party')
const ALICE = subkeyRecord('alice', 'yes', START + 100)

/** How many peers have been asked after each round of questions. */
async function rounds(net: Simulation, asked: number): Promise<number[]> {
  const counts = new Set<number>()

  while (net.requests.length < asked) {
    await turns()
    counts.add(net.requests.length)
  }

  return [...counts]
}

describe('Replicas.read', () => {
  it('finds out in three rounds that nothing is there: from one, the other replicas, all others (N5)', async () => {
    const net = new Simulation(KEY, { size: 30 })
    const reading = net.replicas.read(KEY, { cancellation: ACTIVE })

    expect(await rounds(net, SEARCH_WIDTH)).toEqual([1, DEFAULT_NUM_REPLICAS, SEARCH_WIDTH])
    expect((await reading).record).toBe(EMPTY_RECORD)
  })

  it('finds in two rounds what the nearest peer lacks', async () => {
    const net = new Simulation(KEY, { size: 30 })
    net.peer(DEFAULT_NUM_REPLICAS - 1).store.apply(KEY, ALICE)
    const reading = net.replicas.read(KEY, { cancellation: ACTIVE })

    expect(await rounds(net, DEFAULT_NUM_REPLICAS)).toEqual([1, DEFAULT_NUM_REPLICAS])
    expect((await reading).record).toEqual(ALICE)
  })
})
