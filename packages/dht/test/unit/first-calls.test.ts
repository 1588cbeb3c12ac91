import { describe, expect, it, vi } from 'vitest'
import type { LookupResponse } from '../../src/lookup/lookup.ts'
import { discoverAfterCalls } from '../../src/service/first-calls.ts'
import { NOTHING, scene, searchFor } from '../support/hesitant-peers.ts'
import { peerNumber } from '../support/numbered-peers.ts'

type Parts = NonNullable<Parameters<typeof discoverAfterCalls>[1]>

function joined() {
  const stopping = new AbortController()
  const discover = vi.fn()
  const { lookups, run } = scene()
  const parts = { lifetime: stopping.signal, lookups, networkMerge: { discover } }
  const discovered = discoverAfterCalls(peerNumber(1), parts as unknown as Parts)
  const response = Promise.withResolvers<LookupResponse>()
  // As a program does whose `DHT.create` has just resolved.
  const called = run(searchFor(3), () => response.promise)
  const answer = async (): Promise<void> => {
    response.resolve(NOTHING)
    await called
  }
  return { stopping, discover, discovered, answer }
}

describe('the neighbours of a node that joins', () => {
  it('are discovered once its first calls are done (N10f)', async () => {
    const { discover, discovered, answer } = joined()
    await answer()
    expect(discover).not.toHaveBeenCalled()
    await discovered
    expect(discover).toHaveBeenCalledExactlyOnceWith(peerNumber(1))
  })

  it('are discovered soon, however long a call takes (N10f)', async () => {
    const { discover, discovered, answer } = joined()
    await discovered
    expect(discover).toHaveBeenCalledOnce()
    await answer()
  })

  it('are not discovered by a node that has stopped meanwhile', async () => {
    const { stopping, discover, discovered, answer } = joined()
    stopping.abort()
    await answer()
    await discovered
    expect(discover).not.toHaveBeenCalled()
  })
})
