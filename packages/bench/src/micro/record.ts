import {
  apply,
  checkRecord,
  type DHTRecord,
  decodeRecord,
  encodeRecord,
  getDHTTime,
  join,
  plainRecord,
  recordKey,
  subkeyRecord,
  type Value,
  view
} from '@waggle/record'
import {
  encodedSize,
  encodeValue,
  lastExpiration,
  prune,
  shownExpiration,
  subsumes
} from '@waggle/record/replica'
import { pick, report, variants } from './processor-time.ts'

/*
 * What one call of @waggle/record costs, in nanoseconds: the part of a network's work that it
 * can't save. Run it with
 * node --conditions=@waggle/source packages/bench/src/micro/record.ts [words in a row's name]
 */

const TEXT =
  'What is stored for a typical key: about a hundred bytes of text, or as many bytes of any kind, '

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

report(calls)

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
