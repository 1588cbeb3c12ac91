/** What a node spends on a record that comes in: reading, checking, and taking it in. */
import { generateKeyPair } from '@libp2p/crypto/keys'
import { schemaValidator } from '@waggle/dht'
import { RecordStore } from '@waggle/dht/simulation'
import {
  checkRecord,
  type DHTRecord,
  encodeRecord,
  getDHTTime,
  ownerTag,
  plainRecord,
  recordKey,
  signRecord,
  subkeyRecord
} from '@waggle/record'
import { z } from 'zod'
import { answerCalls } from '../../calls/answer-calls.ts'
import { nanoseconds, pick, type Rounds, variants } from '../../micro/processor-time.ts'

export interface CheckCalls {
  measure(rounds: Rounds): readonly CheckFigure[]
}

export interface CheckFigure {
  readonly name: string
  readonly nanoseconds: number
}

const now = getDHTTime()
const privateKey = await generateKeyPair('Ed25519')
const tag = ownerTag(privateKey.publicKey)
const clock = (): number => now

interface Incoming {
  readonly key: Uint8Array
  readonly bytes: Uint8Array
}

const nobodys = variants((i) => incoming(`sensor/${i}/reading`, plainRecord(value(i), now + 600.5)))
const subkeys = variants((i) =>
  incoming(`sensor/${i}/reading`, subkeyRecord('alice', value(i), now + 600.5))
)
const ownedKeys = await signed((i) => [`sensor/${i}/${tag}`, plainRecord(value(i), now + 600.5)])
const ownedSubkeys = await signed((i) => [
  `sensor/${i}/reading`,
  subkeyRecord(tag, value(i), now + 600.5)
])

const plainNode = new RecordStore({ clock })
const strictNode = new RecordStore({
  clock,
  validators: [schemaValidator({ rules: [{ prefix: 'sensor/', value: z.string() }] })]
})

// Signatures are seen by waiting for each: many at once are verified by other threads, and after the measurement.
for (const seen of [...ownedKeys, ...ownedSubkeys]) {
  await takeIn(plainNode, seen)
}

const calls: Readonly<Record<string, (i: number) => unknown>> = {
  'a plain value of nobody': (i) => takeIn(plainNode, pick(nobodys, i)),
  'a subkey of nobody': (i) => takeIn(plainNode, pick(subkeys, i)),
  'a plain value, with a zod schema': (i) => takeIn(strictNode, pick(nobodys, i)),
  'an owned key, whose signature it has seen before': (i) => takeIn(plainNode, pick(ownedKeys, i)),
  'an owned subkey, whose signature it has seen before': (i) =>
    takeIn(plainNode, pick(ownedSubkeys, i)),
  'an owned key, new': (i) => takeIn(new RecordStore({ clock }), pick(ownedKeys, i)),
  'an owned key, new, where there is no Node': (i) => checkPurely(pick(ownedKeys, i)),
  'signing one, at the owner': (i) =>
    signRecord(pick(ownedKeys, i).key, plainRecord(value(i), now + 600.5), privateKey)
}

answerCalls<CheckCalls>({
  measure(rounds) {
    // What comes first would pay for the compiler.
    figures(rounds)
    return figures(rounds)
  }
})

function figures(rounds: Rounds): CheckFigure[] {
  return Object.entries(calls).map(([name, call]) => ({
    name,
    nanoseconds: nanoseconds(call, rounds)
  }))
}

/** A hundred bytes or so. */
function value(i: number): string {
  return `${'bees '.repeat(20)}${i}`
}

function incoming(key: string, record: DHTRecord): Incoming {
  return { key: recordKey(key), bytes: encodeRecord(record) }
}

function signed(make: (i: number) => [string, DHTRecord]): Promise<Incoming[]> {
  return Promise.all(
    variants(async (i) => {
      const [key, record] = make(i)
      return incoming(key, await signRecord(recordKey(key), record, privateKey))
    })
  )
}

/** What the exchange does with a write. */
function takeIn(store: RecordStore, { key, bytes }: Incoming): unknown {
  const received = store.checks.received(key, bytes)
  return 'then' in received ? received : store.apply(key, received.record)
}

function checkPurely({ key, bytes }: Incoming): unknown {
  return checkRecord(key, bytes, { now })
}
