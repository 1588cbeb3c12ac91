import { type DHTRecord, plainRecord, subkeyRecord, tombstoneRecord, view } from '@waggle/record'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { law } from '../support/effort.ts'
import { useStreamSource } from '../support/exchange-streams.ts'
import { PersuadedReader, type ReaderOptions, WAYS, type Way } from '../support/persuaded-reader.ts'
import { START } from '../support/simulated-replicas.ts'

const SIZE = 12

/** An old value, and its owner's replacement. */
const CHANGES = [
  [plainRecord('old', START + 100), tombstoneRecord(START + 200)],
  [plainRecord('old', START + 100), plainRecord('new', START + 200)],
  [subkeyRecord('a', 'old', START + 100), tombstoneRecord(START + 200, { subkey: 'a' })],
  [subkeyRecord('a', 'old', START + 100), subkeyRecord('a', 'new', START + 200)],
  [subkeyRecord('a', 'old', START + 100), plainRecord('new', START + 200)]
] as const

const push = fc.constantFrom(...WAYS)
const ASKS = ['get', 'latest', 'watch'] as const
type Ask = (typeof ASKS)[number]
const ask = fc.constantFrom(...ASKS)

const reader: fc.Arbitrary<ReaderOptions> = fc
  .record({
    size: fc.constant(SIZE),
    selfRank: fc.nat(SIZE - 1),
    knownRanks: fc.uniqueArray(fc.nat(SIZE - 1), { minLength: 2 }),
    hasCache: fc.boolean(),
    isLocal: fc.boolean()
  })
  .map(({ knownRanks, ...options }) => ({
    ...options,
    known: (rank) => knownRanks.includes(rank)
  }))

const source = useStreamSource()

/** An old record that others try to bring back, and the result that the reader must get instead. */
interface Attempt {
  readonly before: DHTRecord
  readonly expected: unknown
}

/** Sends an owner's old record to the reader, or lets the reader ask. */
async function happen(
  node: PersuadedReader,
  event: Way | Ask,
  { before, expected }: Attempt
): Promise<void> {
  if (event === 'watch') {
    await node.watch()
  } else if (event === 'get' || event === 'latest') {
    expect(await node.get(event === 'latest')).toEqual(expected)
  } else {
    await node.push(event, before)
  }
}

describe('what an owner deleted or replaced at all replicas', () => {
  it('is never undone for a reader that has asked for it, whatever reaches it on whatever way (N5a)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...CHANGES),
        reader,
        fc.array(push, { maxLength: 3 }),
        fc.array(fc.oneof(push, ask), { minLength: 2, maxLength: 8 }),
        async ([before, after], options, earlier, events) => {
          await using node = new PersuadedReader(source, options)
          const expected = view(after, START)?.value

          // Without a memory, a reader takes the first answer of peers that are no replicas.
          const isFair = (event: string): boolean =>
            event !== 'answers' || (options.hasCache && options.isLocal)

          for (const way of earlier.filter(isFair)) {
            await node.push(way, before)
          }

          node.replace(after)

          for (const event of ['latest', ...events.filter(isFair), 'get'] as const) {
            await happen(node, event, { before, expected })
          }

          expect(node.delivered).toEqual(node.delivered.map(() => expected))
        }
      ),
      law(600)
    )
  })
})
