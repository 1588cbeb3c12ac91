import {
  checkRecord,
  type DHTRecord,
  type Entry,
  encodeRecord,
  type Key,
  recordKey,
  type SubkeyId,
  type Value
} from '@waggle/record'
import {
  DEFAULT_LIMITS,
  encodeValue,
  placeOwner,
  signedBytes,
  subkeyId,
  verifySignature
} from '@waggle/record/replica'
import { concat } from 'uint8arrays/concat'
import { toString as stringOf } from 'uint8arrays/to-string'
import { fastVerify } from '../../../src/store/native-ed25519.ts'
import type { Target } from '../fuzzer.ts'
import { assertThat, unlessRefused } from './claims.ts'
import { bytesOf, CBOR, read, words } from './material.ts'

/**
 * The only signed records: the private keys are not part of these tests, so nothing else has a valid signature.
 */
interface SignedExample {
  readonly key: Key
  readonly subkey?: Key
  readonly expirationTime: number
  readonly value?: Value

  /** Hexadecimal digits, as in the signature. */
  readonly signed: string
  readonly signature: string
}

const SIGNED: readonly SignedExample[] = read('record/test/fixtures/signatures.json')
const EVERYTHING_SIGNED = new Set(SIGNED.map(({ signed }) => signed))

/** The bytes of an Ed25519 peer id before its key. */
const ID_PREFIX = bytesOf('002408011220')
const KEY_BYTES = 32
const SIGNATURE_BYTES = 64

/** The order of the group, little-endian. */
const ORDER = bytesOf('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010')

/**
 * Keys that accept one signature for every message, in their canonical and in other forms, and a non-canonical zero.
 */
const IDENTITY = bytesOf('0100000000000000000000000000000000000000000000000000000000000000')
const ODD_KEYS = [
  IDENTITY,
  ...[
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'
  ].map(bytesOf)
]

/** The signature that such keys would accept for every message if they were not refused. */
const SIGNATURE_FOR_ALL = concat([IDENTITY, new Uint8Array(32)])

const isRecords = (url: string): boolean => url.includes('/packages/record/src/')

function idOf(publicKey: Uint8Array): string {
  return stringOf(concat([ID_PREFIX, publicKey]), 'base58btc')
}

function recordOf(example: SignedExample): DHTRecord {
  const { subkey, expirationTime, value, signature } = example
  const entry: Entry = {
    expirationTime,
    signature: bytesOf(signature),
    ...(value !== undefined && { value: encodeValue(value) })
  }
  return subkey === undefined
    ? { plain: entry, subkeys: new Map() }
    : { subkeys: new Map([[subkeyId(subkey), entry]]) }
}

/**
 * A byte with a key's length, the key, and a record under it: entries with an owner are those that it has signed.
 */
const owned: Target = {
  name: 'owned',
  isWatched: isRecords,
  seeds: SIGNED.map((example) => {
    const key = recordKey(example.key)
    return concat([Uint8Array.of(key.length), key, encodeRecord(recordOf(example))])
  }),
  words: [
    ...CBOR,
    ...words('/waggle/', '[owner:', ']', ...ODD_KEYS.map(idOf)),
    ...SIGNED.map(({ signature }) => bytesOf(signature))
  ],
  try(input) {
    const [keyLength = 0] = input
    const key = input.slice(1, 1 + keyLength)
    const limits = { ...DEFAULT_LIMITS, maxTtl: Number.POSITIVE_INFINITY }
    const accepted = unlessRefused(
      () => checkRecord(key, input.slice(1 + keyLength), { now: 0, limits, verify: fastVerify }),
      ...['InvalidKeyError', 'MalformedRecordError', 'RecordTooLargeError', 'ValidationError']
    )

    if (accepted?.plain !== undefined) {
      assertOwned(key, undefined, accepted.plain)
    }

    for (const [id, entry] of accepted?.subkeys ?? []) {
      assertOwned(key, id, entry)
    }
  }
}

function assertOwned(key: Uint8Array, id: SubkeyId | undefined, entry: Entry): void {
  const isSigned = entry.signature !== undefined
  assertThat(
    isSigned === (placeOwner(key, id) !== undefined),
    'an owned place takes what is unsigned'
  )
  assertThat(
    !isSigned || EVERYTHING_SIGNED.has(stringOf(signedBytes(key, id, entry), 'hex')),
    'something is accepted that nobody has signed'
  )
}

/**
 * Returns a signature in both forms: the second one has the group's order added to its second half.
 */
function bothForms(signature: Uint8Array): readonly Uint8Array[] {
  const second = signature.slice()
  let carry = 0

  for (const [i, digit] of ORDER.entries()) {
    const sum = (second[32 + i] ?? 0) + digit + carry
    second[32 + i] = sum
    carry = sum >> 8
  }

  return [signature, second]
}

/** A public key, a signature and a message: OpenSSL decides the same in a place of that key. */
const signature: Target = {
  name: 'signature',
  isSlow: true,
  isWatched: isRecords,
  seeds: [
    ...ODD_KEYS.map((key) => concat([key, SIGNATURE_FOR_ALL, ...words('all')])),
    ...SIGNED.flatMap(({ key, subkey, signed, signature }) => {
      const owner = placeOwner(recordKey(key), subkey === undefined ? undefined : subkeyId(subkey))
      return bothForms(bytesOf(signature)).map((form) =>
        concat([owner?.publicKey ?? new Uint8Array(), form, bytesOf(signed)])
      )
    })
  ],
  words: [...ODD_KEYS, ORDER],
  try(input) {
    const publicKey = input.slice(0, KEY_BYTES)
    const signed = input.slice(KEY_BYTES, KEY_BYTES + SIGNATURE_BYTES)
    const message = input.slice(KEY_BYTES + SIGNATURE_BYTES)
    const place = recordKey(`[owner:${idOf(publicKey)}]`)
    const owner = unlessRefused(() => placeOwner(place), 'ValidationError')

    if (owner !== undefined) {
      const isGood = verifySignature(owner.publicKey, message, signed)
      assertThat(isGood === fastVerify(owner.publicKey, message, signed), 'OpenSSL disagrees')
      assertThat(
        !isGood || EVERYTHING_SIGNED.has(stringOf(message, 'hex')),
        'a signature is good for what nobody has signed'
      )
    }
  }
}

/** Readers of owned places and signatures. */
export const ownerTargets: readonly Target[] = [owned, signature]
