import type { Connection, Stream } from '@libp2p/interface'
import { describe, expect, it } from 'vitest'
import { MAX_CIRCUITS_PER_PEER, RelayBudget } from '../../src/node/relay-budget.ts'
import { hopGuard } from '../../src/node/relay-guards.ts'
import { varintIn } from '../../src/wire/protobuf.ts'
import { peerNumber } from '../support/numbered-peers.ts'

const TYPE = 1

/** The number 2³² + 1, of which libp2p reads the last 32 bits. */
const LONG_ONE = [0x81, 0x80, 0x80, 0x80, 0x10]

/** Sends requests of one peer. Returns the result of each; undefined if it is refused. */
function asked(question: readonly number[], times = 1): (number | undefined)[] {
  const budget = new RelayBudget()
  return Array.from({ length: times }, () => {
    const connection = { remotePeer: peerNumber(1) } as unknown as Connection
    const guard = hopGuard(budget)(connection, new EventTarget() as Stream)

    try {
      return varintIn(guard.receive?.(Uint8Array.from(question)) ?? new Uint8Array(), TYPE)
    } catch {
      return undefined
    }
  })
}

describe('a question to a relay', () => {
  it('is counted where it asks for a connection (N13g)', () => {
    const served = asked([8, 1], MAX_CIRCUITS_PER_PEER + 1)
    expect(served).toEqual([...new Array(MAX_CIRCUITS_PER_PEER).fill(1), undefined])
  })

  it.each([
    ['a number of more bits', [8, ...LONG_ONE]],
    ['four bytes', [13, 1, 24, 0, 0]],
    ['a number that means nothing', [8, 3]]
  ])('is not taken for another one: its type is %s (N13g)', (_, question) => {
    expect(asked(question)).toEqual([undefined])
  })
})
