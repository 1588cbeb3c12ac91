/** What a node spends on a record that comes in: reading, checking, and taking it in. */
import { generateKeyPair } from '@libp2p/crypto/keys'
import { schemaValidator } from '@waggle/dht'
import { RecordStore } from '@waggle/dht/lookup'
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
import { totalOf } from '../../statistics.ts'

/** How often each is measured, and with how many writes to different keys each time. */
export interface CheckLoad {
  readonly rounds: number
  readonly writes: number

  /** Where each takes a hundred times as long. */
  readonly slowWrites: number
}

export interface CheckCalls {
  measure(load: CheckLoad): Promise<readonly CheckFigure[]>
}

export interface CheckFigure {
  readonly name: string
  readonly nanoseconds: number
}

interface Incoming {
  readonly key: Uint8Array
  readonly bytes: Uint8Array
}

/** Writes to nodes that hold nothing yet: what is measured, and how many records they hold afterwards. */
interface Trial {
  readonly run: (i: number) => unknown
  readonly held: () => number
}

interface Case {
  readonly name: string
  readonly writes: number

  /** Makes everything ready for one round. */
  readonly begin: () => Trial
}

const now = getDHTTime()
const privateKey = await generateKeyPair('Ed25519')
const tag = ownerTag(privateKey.publicKey)
const until = now + 600.5
const clock = (): number => now

/** Kept, so that no call can be left out for having none. */
export let result: unknown

answerCalls<CheckCalls>({
  async measure(load) {
    const cases = await casesOf(load)
    // What comes first would pay for the compiler.
    figures(cases, load)
    return figures(cases, load)
  }
})

async function casesOf({ writes, slowWrites }: CheckLoad): Promise<Case[]> {
  const nobodys = make(writes, (i) => incoming(`sensor/${i}/reading`, plainRecord(value(i), until)))
  const subkeys = make(writes, (i) =>
    incoming(`sensor/${i}/reading`, subkeyRecord('alice', value(i), until))
  )
  const ownedKeys = await Promise.all(
    make(writes, (i) => signed(`sensor/${i}/${tag}`, plainRecord(value(i), until)))
  )
  const ownedSubkeys = await Promise.all(
    make(writes, (i) => signed(`sensor/${i}/reading`, subkeyRecord(tag, value(i), until)))
  )
  const schema = schemaValidator({ rules: [{ prefix: 'sensor/', value: z.string() }] })
  const [anybody, strict, seen] = [[], [schema], []].map(
    (validators) => new RecordStore({ clock, validators })
  ) as [RecordStore, RecordStore, RecordStore]

  // Signatures are seen by waiting for each: many at once are verified by other threads, and after the measurement.
  for (const { key, bytes } of [...ownedKeys, ...ownedSubkeys]) {
    await seen.checks.received(key, bytes)
  }

  return [
    { name: 'a plain value of nobody', writes, begin: () => intoOne(anybody, nobodys) },
    { name: 'a subkey of nobody', writes, begin: () => intoOne(anybody, subkeys) },
    { name: 'a plain value, with a zod schema', writes, begin: () => intoOne(strict, nobodys) },
    {
      name: 'an owned key, whose signature it has seen before',
      writes,
      begin: () => intoOne(seen, ownedKeys)
    },
    {
      name: 'an owned subkey, whose signature it has seen before',
      writes,
      begin: () => intoOne(seen, ownedSubkeys)
    },
    {
      name: 'an owned key, new',
      writes: slowWrites,
      begin: () => intoOneEach(ownedKeys.slice(0, slowWrites))
    },
    {
      name: 'an owned key, new, where there is no Node',
      writes: slowWrites,
      begin: () => uncounted(slowWrites, (i) => checkPurely(ownedKeys[i] as Incoming))
    },
    {
      name: 'signing one, at the owner',
      writes: slowWrites,
      begin: () =>
        uncounted(slowWrites, (i) => {
          const { key } = ownedKeys[i] as Incoming
          return signRecord(key, plainRecord(value(i), until), privateKey)
        })
    }
  ]
}

/** One node takes in all of it, with the checks of one that has perhaps seen the signatures. */
function intoOne({ checks }: RecordStore, writes: readonly Incoming[]): Trial {
  const store = new RecordStore({ clock })
  return {
    run: (i) => takeIn(store, checks, writes[i] as Incoming),
    held: () => store.records
  }
}

/** Each is taken in by a node of its own: one verifies only some at once, and has other threads verify the rest. */
function intoOneEach(writes: readonly Incoming[]): Trial {
  const stores = writes.map(() => new RecordStore({ clock }))
  return {
    run: (i) => {
      const store = stores[i] as RecordStore
      return takeIn(store, store.checks, writes[i] as Incoming)
    },
    held: () => totalOf(stores, ({ records }) => records)
  }
}

/** What holds nothing. */
function uncounted(writes: number, run: (i: number) => unknown): Trial {
  return { run, held: () => writes }
}

/** Of each the fastest round, and processor time: others use this machine, too. */
function figures(cases: readonly Case[], { rounds }: CheckLoad): CheckFigure[] {
  return cases.map(({ name, writes, begin }) => {
    const times = Array.from({ length: rounds }, () => cpuUs(name, writes, begin()))
    return { name, nanoseconds: (Math.min(...times) / writes) * 1000 }
  })
}

function cpuUs(name: string, writes: number, { run, held }: Trial): number {
  const before = process.cpuUsage()

  for (let i = 0; i < writes; i++) {
    result = run(i)
  }

  const { user, system } = process.cpuUsage(before)

  if (held() !== writes) {
    throw new Error(`${name}: ${held()} of ${writes} writes were taken in`)
  }

  return user + system
}

function make<T>(count: number, one: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => one(i))
}

/** A hundred bytes or so. */
function value(i: number): string {
  return `${'bees '.repeat(20)}${i}`
}

function incoming(key: string, record: DHTRecord): Incoming {
  return { key: recordKey(key), bytes: encodeRecord(record) }
}

async function signed(key: string, record: DHTRecord): Promise<Incoming> {
  return incoming(key, await signRecord(recordKey(key), record, privateKey))
}

/** What the exchange does with a write. */
function takeIn(
  store: RecordStore,
  checks: RecordStore['checks'],
  { key, bytes }: Incoming
): unknown {
  const received = checks.received(key, bytes)
  return 'then' in received ? received : store.apply(key, received.record)
}

function checkPurely({ key, bytes }: Incoming): unknown {
  return checkRecord(key, bytes, { now })
}
