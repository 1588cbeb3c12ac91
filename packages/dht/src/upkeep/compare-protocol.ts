import type { AbortOptions, PeerId, Stream } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import type { Scheduler } from '../admission/scheduler.ts'
import { nameOf, type RecordStore } from '../store/record-store.ts'
import { ByteReader, ByteWriter } from '../wire/bytes.ts'
import { MAX_KEY_BYTES, MAX_KEYS_PER_MESSAGE } from '../wire/limits.ts'
import { ExchangeProtocolError } from '../wire/protocol-error.ts'
import { FINGERPRINT_BYTES, fingerprintOf } from './fingerprint.ts'

/**
 * A list of keys asks, as the exchange writes lists, after its length as a varint; the answer has the
 * fingerprint of what is held under each of them, one after the other, after its length, too.
 */
export const COMPARE_PROTOCOL = '/waggle/compare/1.0.0'

/** Streams of one connection on which may be asked at once. */
export const MAX_COMPARE_STREAMS = 4

/** Keys of one question. */
export const MAX_COMPARED_KEYS: number = MAX_KEYS_PER_MESSAGE

/** A question is not filled beyond this, unless one key alone is larger. */
export const TARGET_QUESTION_BYTES = 65_536

const MAX_QUESTION_BYTES: number = TARGET_QUESTION_BYTES + MAX_KEY_BYTES + 16
const MAX_ANSWER_BYTES: number = MAX_COMPARED_KEYS * FINGERPRINT_BYTES

/** How long one who has opened a stream may take to ask, and to read the answer. */
const SERVING_TIMEOUT_MS = 10_000

export interface TellingOptions {
  readonly store: RecordStore

  /** When questions get their turns. */
  readonly scheduler: Scheduler
}

/** Tells the peer that has opened the stream the fingerprints of what is held here. */
export async function tellFingerprints(
  stream: Stream,
  peer: PeerId,
  { store, scheduler }: TellingOptions
): Promise<void> {
  const signal = AbortSignal.timeout(SERVING_TIMEOUT_MS)
  const messages = lpStream(stream, {
    maxDataLength: MAX_QUESTION_BYTES,
    maxBufferSize: 2 * MAX_QUESTION_BYTES
  })
  const keys = readQuestion((await messages.read({ signal })).subarray())
  const answer = await scheduler.run({
    ...{ peer: peer.toString(), keys: keys.length, answer: fingerprintsOf(keys, store) },
    isWanted: () => stream.writeStatus === 'writable' && !signal.aborted
  })

  if (answer === undefined) {
    throw new Error('nobody waits for the answer any more')
  }

  await messages.write(answer, { signal })
  await stream.close({ signal })
}

/** Key by key. One that is asked for again is not looked at again. */
function* fingerprintsOf(
  keys: readonly Uint8Array[],
  store: RecordStore
): Generator<undefined, Uint8Array> {
  const answer = new Uint8Array(keys.length * FINGERPRINT_BYTES)
  const known = new Map<string, Uint8Array>()

  for (const [index, key] of keys.entries()) {
    const name = nameOf(key)
    const fingerprint = known.get(name) ?? fingerprintOf(store.get(key))
    known.set(name, fingerprint)
    answer.set(fingerprint, index * FINGERPRINT_BYTES)
    yield
  }

  return answer
}

/** Asks the peer at the other end of the stream for the fingerprint of what it holds under each key. */
export async function askFingerprints(
  stream: Stream,
  keys: readonly Uint8Array[],
  options: AbortOptions
): Promise<Uint8Array[]> {
  const messages = lpStream(stream, {
    maxDataLength: MAX_ANSWER_BYTES,
    maxBufferSize: 2 * MAX_ANSWER_BYTES
  })
  await messages.write(writtenQuestion(keys), options)
  const fingerprints = readFingerprints((await messages.read(options)).subarray(), keys.length)
  await stream.close(options)
  return fingerprints
}

/** The keys of a question, as they are sent. */
export function writtenQuestion(keys: readonly Uint8Array[]): Uint8Array {
  const to = new ByteWriter()
  to.varint(keys.length)

  for (const key of keys) {
    to.byteString(key)
  }

  return to.take()
}

/**
 * The keys that are asked for: views of `bytes`.
 *
 * @throws ExchangeProtocolError for anything that {@link writtenQuestion} does not write
 */
export function readQuestion(bytes: Uint8Array): Uint8Array[] {
  const from = new ByteReader(bytes)
  const count = from.varint(MAX_COMPARED_KEYS, 'a count')
  const keys = Array.from({ length: count }, () => from.byteString(MAX_KEY_BYTES, 'a key'))
  from.end()
  return keys
}

/**
 * The fingerprints in the answer to so many keys: views of it.
 *
 * @throws ExchangeProtocolError when it is not as long as it has to be
 */
export function readFingerprints(answer: Uint8Array, keyCount: number): Uint8Array[] {
  if (answer.length !== keyCount * FINGERPRINT_BYTES) {
    throw new ExchangeProtocolError(
      `the peer answered ${keyCount} keys with ${answer.length} bytes`
    )
  }

  return Array.from({ length: keyCount }, (_, index) =>
    answer.subarray(index * FINGERPRINT_BYTES, (index + 1) * FINGERPRINT_BYTES)
  )
}
