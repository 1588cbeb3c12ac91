import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  apply,
  type DHTRecord,
  EMPTY_RECORD,
  encodeRecord,
  join,
  type Limits
} from '../../src/index.ts'
import { DEFAULT_LIMITS } from '../../src/replica.ts'
import type { Write } from '../generators.ts'
import { LAW, TIGHT, write, writeRecord } from '../generators.ts'
import { modelJoin, modelShown, writesOf } from '../model.ts'

const now = 0

/** The same writes as three replicas may receive them: in three orders. */
const threeOrders = fc
  .array(write, { minLength: 1, maxLength: 8 })
  .chain((writes) => fc.tuple(shuffled(writes), shuffled(writes), shuffled(writes)))

function shuffled(writes: Write[]): fc.Arbitrary<Write[]> {
  return fc.shuffledSubarray(writes, { minLength: writes.length, maxLength: writes.length })
}

function replica(writes: Write[], limits: Limits): DHTRecord {
  return writes.reduce<DHTRecord>(
    (held, one) => apply(held, writeRecord(one), { now, limits }).record,
    EMPTY_RECORD
  )
}

describe.each([
  ['have room for everything', DEFAULT_LIMITS],
  ['have room for two subkeys', TIGHT]
])('replicas that %s', (_, limits) => {
  it('hold equal bytes after they joined, whatever order writes came in (R6, R7, R10, R13)', () => {
    fc.assert(
      fc.property(threeOrders, (orders) => {
        const [a, b, c] = orders.map((writes) => replica(writes, limits)) as [
          DHTRecord,
          DHTRecord,
          DHTRecord
        ]
        const atA = join(join(a, b, limits), c, limits)
        const atB = join(join(b, c, limits), a, limits)
        const atC = join(join(c, b, limits), a, limits)

        expect(encodeRecord(atB)).toStrictEqual(encodeRecord(atA))
        expect(encodeRecord(atC)).toStrictEqual(encodeRecord(atA))
      }),
      LAW
    )
  })

  it('hold nothing but what clients wrote (R6)', () => {
    fc.assert(
      fc.property(threeOrders, ([writes]) => {
        for (const held of writesOf(replica(writes, limits))) {
          expect(writes).toContainEqual(held)
        }
      }),
      LAW
    )
  })
})

describe('two replicas', () => {
  it('show the same after they joined as one that joined every write it accepted (R6, R8)', () => {
    fc.assert(
      fc.property(threeOrders, ([here, there]) => {
        const accepted = [...acceptedOf(here), ...acceptedOf(there)].map(writeRecord)
        const joined = join(replica(here, DEFAULT_LIMITS), replica(there, DEFAULT_LIMITS))

        expect(modelShown(joined, now)).toStrictEqual(modelShown(modelJoin(accepted), now))
      }),
      LAW
    )
  })
})

function acceptedOf(writes: Write[]): Write[] {
  let held = EMPTY_RECORD

  return writes.filter((one) => {
    const applied = apply(held, writeRecord(one), { now })
    held = applied.record
    return applied.isAccepted
  })
}
