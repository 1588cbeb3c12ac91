import { plainRecord, recordKey } from '@waggle/record'
import { describe, expect, it } from 'vitest'
import { DEFAULT_NUM_REPLICAS } from '../../src/constants.ts'
import { ACTIVE } from '../support/cancellation.ts'
import { Simulation, START } from '../support/simulated-replicas.ts'

const KEY = recordKey('key')
const WRITE = plainRecord('a value', START + 100)
const NEAREST = Array.from({ length: DEFAULT_NUM_REPLICAS }, (_, rank) => rank)

describe('a write to a part of the key space that this node does not know', () => {
  const isFar = (rank: number): boolean => rank >= 60
  const strange = (isReplica = () => true): Simulation =>
    new Simulation(KEY, { size: 200, known: isFar, isReplica })

  it('leaves nothing at peers on the way, which would have to hand it over (N6)', async () => {
    const net = strange()
    const result = await net.replicas.write(KEY, WRITE, ACTIVE)

    expect([...result.peers.values()]).toEqual(NEAREST.map(() => 'accepted'))
    expect(net.holders(KEY)).toEqual(NEAREST)
    expect(net.ranks('find').every(isFar)).toBe(true)
    expect(net.ranks('find').length).toBeGreaterThan(0)
  })

  it('goes to those after all if the nearer ones fail (N6)', async () => {
    const net = strange()
    net.peers.slice(0, 60).forEach((peer) => {
      peer.fails = 'always'
    })
    const result = await net.replicas.write(KEY, WRITE, ACTIVE)

    expect(result.outcome).toBe('held')
    expect(net.holders(KEY)).toEqual([60, 61, 62, 63, 64])
  })

  it('goes to the next nearest where one of those fails to take it (N6)', async () => {
    const net = strange()
    net.peers.slice(0, 65).forEach((peer, rank) => {
      peer.fails = isFar(rank) ? 'to store' : 'always'
    })
    const result = await net.replicas.write(KEY, WRITE, ACTIVE)

    expect(result.outcome).toBe('held')
    expect(net.holders(KEY)).toEqual([65, 66, 67, 68, 69])
  })

  it('is reported as failed where all of them fail to take it (N6)', async () => {
    const net = strange(() => false)
    net.peers.forEach((peer, rank) => {
      peer.fails = isFar(rank) ? 'to store' : 'always'
    })

    expect((await net.replicas.write(KEY, WRITE, ACTIVE)).outcome).toBe('unreachable')
    expect(net.holders(KEY)).toEqual([])
  })
})
