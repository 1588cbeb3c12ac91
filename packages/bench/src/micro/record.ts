import {
  apply,
  checkRecord,
  type DHTRecord,
  decodeRecord,
  encodedSize,
  encodeRecord,
  encodeValue,
  getDHTTime,
  join,
  lastExpiration,
  plainRecord,
  prune,
  recordKey,
  shownExpiration,
  subkeyRecord,
  subsumes,
  type Value,
  view
} from '@waggle/record'

/*
 * What one call of @waggle/record costs, in nanoseconds: the part of a network's work that it
 * can't save. Run it with
 * node --conditions=@waggle/source packages/bench/src/micro/record.ts [words in a row's name]
 */

/** So many different inputs take turns, that none is in the processor's cache for being the only one. */
const VARIANTS = 64

const ROUNDS = 9
const ROUND_MS = 30
const TEXT =
  'What is stored for a typical key: about a hundred bytes of text, or as many bytes of any kind, '

/** Kept, so that no call can be left out for having none. */
export let result: unknown

const now = getDHTTime()
const keys = variants((i) => `sensor/${i}/reading`)
const keyBytes = keys.map((key) => recordKey(key))
const texts = variants((i) => TEXT + 10_000 * i)
const byteValues = texts.map((text) => new TextEncoder().encode(text))
const objects = variants<Value>((i) => ({ name: `bee ${i}`, at: [i, i / 7], tags: ['a', 'b'] }))

const kinds: Record<string, (expirationTime: number, i: number) => DHTRecord> = {
  text: (time, i) => plainRecord(pick(texts, i), time),
  bytes: (time, i) => plainRecord(pick(byteValues, i), time),
  subkey: (time, i) => subkeyRecord('alice', pick(texts, i), time),
  '100 subkeys': (time, i) => dictionary(time, i)
}

/** What {@link kinds} are made of, and each of them with all that is done to records. */
const calls: Record<string, (i: number) => unknown> = {
  getDHTTime: () => getDHTTime(),
  'recordKey text': (i) => recordKey(pick(keys, i)),
  'encodeValue text': (i) => encodeValue(pick(texts, i)),
  'encodeValue bytes': (i) => encodeValue(pick(byteValues, i)),
  'encodeValue object': (i) => encodeValue(pick(objects, i)),
  'plainRecord text': (i) => plainRecord(pick(texts, i), now + 600.5),
  'subkeyRecord text': (i) => subkeyRecord('alice', pick(texts, i), now + 600.5),
  ...Object.assign({}, ...Object.entries(kinds).map(([kind, make]) => callsWith(kind, make)))
}

for (const [name, call] of Object.entries(calls)) {
  if (process.argv.slice(2).every((word) => name.includes(word))) {
    process.stdout.write(`${name.padEnd(30)}${nanoseconds(call).toFixed(0).padStart(9)}\n`)
  }
}

function callsWith(
  kind: string,
  make: (expirationTime: number, i: number) => DHTRecord
): Record<string, (i: number) => unknown> {
  const held = variants((i) => make(now + 600.5, i))
  const equal = variants((i) => make(now + 600.5, i))
  const later = variants((i) => make(now + 700.5, i))
  const encoded = held.map((record) => encodeRecord(record))
  const options = { now }

  return {
    [`encodeRecord ${kind}`]: (i) => encodeRecord(pick(held, i)),
    [`encodedSize ${kind}`]: (i) => encodedSize(pick(held, i)),
    [`decodeRecord ${kind}`]: (i) => decodeRecord(pick(encoded, i)),
    [`checkRecord ${kind}`]: (i) => checkRecord(pick(keyBytes, i), pick(encoded, i), options),
    [`view ${kind}`]: (i) => view(pick(held, i), now),
    [`apply ${kind}`]: (i) => apply(pick(held, i), pick(later, i), options),
    [`join ${kind}, later`]: (i) => join(pick(held, i), pick(later, i)),
    [`join ${kind}, equal`]: (i) => join(pick(held, i), pick(equal, i)),
    [`subsumes ${kind}`]: (i) => subsumes(pick(later, i), pick(held, i)),
    [`prune ${kind}`]: (i) => prune(pick(held, i), now),
    [`shownExpiration ${kind}`]: (i) => shownExpiration(pick(held, i), now),
    [`lastExpiration ${kind}`]: (i) => lastExpiration(pick(held, i))
  }
}

function dictionary(time: number, i: number): DHTRecord {
  return Array.from({ length: 100 }, (_, j) =>
    subkeyRecord(`peer ${j}`, pick(texts, i + j), time)
  ).reduce((held, next) => join(held, next))
}

function variants<T>(make: (i: number) => T): T[] {
  return Array.from({ length: VARIANTS }, (_, i) => make(i))
}

function pick<T>(from: readonly T[], i: number): T {
  return from[i % VARIANTS] as T
}

/** Of the fastest round, and of processor time: others use this machine, too. */
function nanoseconds(call: (i: number) => unknown): number {
  let count = 100

  while (cpuMs(call, count) < ROUND_MS) {
    count *= 2
  }

  const rounds = Array.from({ length: ROUNDS }, () => cpuMs(call, count))
  return (Math.min(...rounds) / count) * 1e6
}

function cpuMs(call: (i: number) => unknown, count: number): number {
  const before = process.cpuUsage()

  for (let i = 0; i < count; i++) {
    result = call(i)
  }

  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}
