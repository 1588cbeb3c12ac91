import { describe, expect, it } from 'vitest'
import { Served } from '../../src/wire/served.ts'

/** Peers whose keys are counted one by one. */
const MAX_PEERS = 1024

describe('Served', () => {
  it('counts keys by request and by peer, and no other messages', () => {
    const served = new Served()
    served.countKeys('a', 'find', 3)
    served.countKeys('b', 'store', 2)
    served.countKeys('a', 'store', 1)
    served.countKeys('a', 'goodbye', 9)

    expect(served.stats().keys).toMatchObject({ find: 3, store: 3 })
    expect(['a', 'b', 'c'].map((peer) => served.keysOf(peer))).toEqual([4, 2, 0])
  })

  it('forgets the peers that came first when there are too many', () => {
    const served = new Served()

    for (let peer = 0; peer <= MAX_PEERS; peer++) {
      served.countKeys(String(peer), 'find', 1)
    }

    expect(served.keysOf('0')).toBe(0)
    expect(served.keysOf('1')).toBe(1)
    expect(served.stats().keys.find).toBe(MAX_PEERS + 1)
  })
})
