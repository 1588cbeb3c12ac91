import { describe, expect, it } from 'vitest'
import { CpuShares } from '../../src/admission/cpu-shares.ts'
import { DelegatedLookups, type LookupSize } from '../../src/admission/delegated-lookups.ts'
import { turns } from '../support/end-of-turn.ts'

/** A dictionary of 4,000 entries from five replicas, which takes some 60 ms. */
const LARGE: LookupSize = { bytes: 2 ** 20, entries: 4000, copies: 5 }

/** Makes shares of a processor for which a light client competes all the time. */
function contended(): CpuShares {
  const shares = new CpuShares()
  shares.noteRequest('light', performance.now() + 60_000)
  return shares
}

class Asked {
  readonly lookups: { end: (size?: LookupSize) => void }[] = []
  readonly #delegated: DelegatedLookups

  constructor(delegated: DelegatedLookups) {
    this.#delegated = delegated
  }

  ask(peer: string, count: number): void {
    for (let i = 0; i < count; i++) {
      void this.#delegated.run(peer, async (countSize) => {
        const { promise, resolve } = Promise.withResolvers<LookupSize | undefined>()
        this.lookups.push({ end: resolve })
        const size = await promise
        size && countSize(size)
      })
    }
  }

  async endAll(size?: LookupSize): Promise<number> {
    const ended = this.lookups.splice(0)

    for (const { end } of ended) {
      end(size)
    }

    await turns(2)
    return ended.length
  }
}

describe('DelegatedLookups', () => {
  it('runs eight of one peer at once, and begins those of others beside them (N14)', () => {
    const asked = new Asked(new DelegatedLookups(contended()))
    asked.ask('a', 100)
    asked.ask('b', 3)
    expect(asked.lookups).toHaveLength(8 + 3)
  })

  it('goes on at once as long as they find little (N14)', async () => {
    const asked = new Asked(new DelegatedLookups(contended()))
    asked.ask('a', 24)
    expect([await asked.endAll(), await asked.endAll(), await asked.endAll()]).toEqual([8, 8, 8])
  })

  it('has a peer pay for what its requests bring in, though they are small (N14)', async () => {
    const asked = new Asked(new DelegatedLookups(contended()))
    asked.ask('greedy', 100)
    expect(await asked.endAll(LARGE)).toBe(8)
    expect(asked.lookups).toHaveLength(0)
  })

  it('has newcomers begin no more than they could pay for, while lookups bring in much (N14)', async () => {
    const asked = new Asked(new DelegatedLookups(contended()))
    asked.ask('first', 8)
    await asked.endAll(LARGE)
    asked.ask('second', 8)
    expect(asked.lookups).toHaveLength(1)
    await asked.endAll()
    expect(asked.lookups).toHaveLength(1)
  })

  it('lets peers take what nobody else wants (N14)', async () => {
    const asked = new Asked(new DelegatedLookups())
    asked.ask('a', 24)
    expect([await asked.endAll(LARGE), await asked.endAll(LARGE)]).toEqual([8, 8])
  })
})
