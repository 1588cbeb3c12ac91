import { isDeepStrictEqual } from 'node:util'
import { type DHTRecord, plainRecord, tombstoneRecord } from '@waggle/record'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AgingReader, entry, shown, shownWith } from '../support/aging-reader.ts'
import { law } from '../support/effort.ts'

const SIZE = 12
const NEVER_OLD = Number.POSITIVE_INFINITY
const ttl = fc.constantFrom(3, 100, 200, 201)
const subkey = fc.constantFrom('a', 'b')
const age = fc.constantFrom(0, 1, 3, 5)

/** Makes a record from its time and number. */
type Write = (time: number, number: number) => DHTRecord

const write: fc.Arbitrary<Write> = fc.oneof(
  ttl.map(
    (ttl): Write =>
      (time, number) =>
        plainRecord(number, time + ttl)
  ),
  ttl.map(
    (ttl): Write =>
      (time) =>
        tombstoneRecord(time + ttl)
  ),
  fc.tuple(subkey, ttl).map(
    ([subkey, ttl]): Write =>
      (time, number) =>
        entry(subkey, number, time + ttl)
  ),
  fc.tuple(subkey, ttl).map(
    ([subkey, ttl]): Write =>
      (time) =>
        tombstoneRecord(time + ttl, { subkey })
  )
)

type Event =
  | { readonly name: 'change' | 'write'; readonly write: Write }
  | { readonly name: 'copy'; readonly rank: number; readonly age: number }
  | { readonly name: 'push'; readonly age: number }
  | { readonly name: 'get'; readonly latest: boolean; readonly maxAge: number | undefined }
  | { readonly name: 'pass'; readonly seconds: number }
  | { readonly name: 'watch' | 'unwatch' | 'lose' | 'reach' }

const get = fc.record({
  name: fc.constant('get' as const),
  latest: fc.constantFrom(false, false, false, true),
  maxAge: fc.constantFrom(undefined, undefined, undefined, 0, 2, NEVER_OLD)
})
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 6, arbitrary: get },
  { weight: 4, arbitrary: fc.record({ name: fc.constant('change' as const), write }) },
  { weight: 2, arbitrary: fc.record({ name: fc.constant('write' as const), write }) },
  {
    weight: 4,
    arbitrary: fc.record({
      name: fc.constant('pass' as const),
      seconds: fc.constantFrom(0.1, 1, 2, 5, 41)
    })
  },
  {
    weight: 2,
    arbitrary: fc.record({ name: fc.constant('copy' as const), rank: fc.nat(SIZE - 1), age })
  },
  { weight: 1, arbitrary: fc.record({ name: fc.constant('push' as const), age }) },
  {
    weight: 1,
    arbitrary: fc.record({ name: fc.constantFrom('watch', 'unwatch', 'lose', 'reach') })
  }
)

/**
 * A node and its cache. A client may know any of the others; a server that knows few would take itself for a replica
 * of everything.
 */
const scene = fc.record({
  isClient: fc.boolean(),
  selfRank: fc.nat(SIZE - 1),
  knownRanks: fc.uniqueArray(fc.nat(SIZE - 1), { minLength: 2 }),
  maxAge: fc.constantFrom(0, 1, 4, 4, 40, NEVER_OLD),
  revalidateAfter: fc.constantFrom(0.5, 2, NEVER_OLD)
})

/** Lets an event happen to a reader, and compares its results with the allowed ones. */
async function happen(reader: AgingReader, event: Event, number: number): Promise<void> {
  switch (event.name) {
    case 'change':
    case 'write':
      return reader[event.name](event.write(reader.time, number))
    case 'copy':
      return reader.copy(event.rank, event.age)
    case 'push':
      return reader.push(event.age)
    case 'pass':
      return reader.pass(event.seconds)
    case 'lose':
      return reader.lose()
    case 'reach':
      return reader.reach(number % 2 === 0)
    case 'get':
      return expectFresh(reader, event)
    default:
      return reader[event.name]()
  }
}

async function expectFresh(
  reader: AgingReader,
  asked: { readonly latest: boolean; readonly maxAge: number | undefined }
): Promise<void> {
  const { record, oldest, since, seen } = await reader.get(asked)

  if (record !== undefined) {
    const [isNow, withOldest] = shownWith(record, oldest, reader.time)

    // This node need not know the tombstones that its own write was shown with.
    if (!since.some((later) => isDeepStrictEqual(isNow, shown(later, reader.time)))) {
      expect(isNow, 'it is no older than allowed').toEqual(withOldest)
    }

    const [, withSeen] = shownWith(record, seen, reader.time)
    expect(isNow, 'it does not go back behind what this node has shown').toEqual(withSeen)
  }
}

describe('a get', () => {
  it('is never older than it may be and never goes back, in any order of stores, deletions, pushes, copies and watches (N5b)', async () => {
    await fc.assert(
      fc.asyncProperty(
        scene,
        fc.array(event, { minLength: 8, maxLength: 24, size: 'max' }),
        async ({ isClient, selfRank, knownRanks, ...policy }, events) => {
          const known = (rank: number): boolean => !isClient || knownRanks.includes(rank)
          const options = { size: SIZE, selfRank, known, isReplica: () => !isClient }
          await using reader = new AgingReader(options, policy)

          for (const [number, event] of [...events, LAST_GET].entries()) {
            await reader.pass(0.001)
            await happen(reader, event, number)
          }
        }
      ),
      law(1_000)
    )
  })
})

const LAST_GET: Event = { name: 'get', latest: false, maxAge: undefined }
