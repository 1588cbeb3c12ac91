import fc from 'fast-check'
import type { Message, WireOutcome } from '../../src/exchange/messages.ts'
import { MAX_PEERS_DIGEST } from '../../src/peers/near-peers.ts'
import {
  MAX_AGE_SECONDS,
  MAX_CLOSER_PEERS,
  MAX_KEY_BYTES,
  MAX_PEER_ID_BYTES,
  MAX_REQUEST_ID
} from '../../src/wire/limits.ts'
import { encodedPeer } from './encoded-peers.ts'

const OUTCOMES: readonly WireOutcome[] = ['accepted', 'full', 'expired', 'invalid', 'refused']

/** Byte strings of lengths around those whose prefix has one byte more. */
const byteString = fc.oneof(
  { weight: 60, arbitrary: fc.uint8Array({ maxLength: 4 }) },
  { weight: 6, arbitrary: fc.uint8Array({ minLength: 126, maxLength: 129 }) },
  { weight: 1, arbitrary: fc.constantFrom(MAX_KEY_BYTES, 16_383, 16_384).map(filled) }
)
const record = byteString.filter(({ length }) => length > 0)
const id = fc.oneof(
  fc.nat(300),
  fc.constantFrom(2 ** 14 - 1, 2 ** 14, 2 ** 28, 2 ** 31, 2 ** 32 - 2, MAX_REQUEST_ID),
  fc.nat(MAX_REQUEST_ID)
)
const closerCount = fc.nat(MAX_CLOSER_PEERS)
const peer = fc
  .record({
    id: fc.uint8Array({ maxLength: MAX_PEER_ID_BYTES, size: 'small' }),
    addresses: fc.array(fc.uint8Array({ maxLength: 8 }), { maxLength: 3 })
  })
  .map(encodedPeer)

/** Answers that name peers by their position in the reply's list. */
function reply<T extends object>(
  name: string,
  answer: fc.Arbitrary<T>,
  unnamed: readonly 'known'[] = []
): fc.Arbitrary<Message> {
  return fc.record({ id, peers: fc.array(peer, { maxLength: 4 }) }).chain(({ id, peers }) => {
    const place = fc.nat(Math.max(0, peers.length - 1))
    const named = fc.array(place, { maxLength: peers.length === 0 ? 0 : 5 })
    const closer = fc.oneof(named, ...unnamed.map((one) => fc.constant(one)))
    const answers = fc.array(
      fc.tuple(answer, closer).map(([rest, closer]) => ({ ...rest, closer })),
      { maxLength: 5 }
    )

    return answers.map((answers) => ({ name, id, peers, answers }) as unknown as Message)
  })
}

/** Distinct subkeys in order, as text with a character for each byte. */
const subkeys = fc
  .uniqueArray(
    fc.uint8Array({ maxLength: 3 }).map((bytes) => String.fromCharCode(...bytes)),
    {
      maxLength: 4
    }
  )
  .map((ids) => ids.toSorted((a, b) => (a < b ? -1 : 1)))
const maxAge = fc.nat(MAX_AGE_SECONDS)
const digest = fc.uint8Array({ maxLength: 16 })
const write = fc.record({
  key: byteString,
  record: byteString,
  known: fc.nat(MAX_PEERS_DIGEST)
})
const findKey = fc.record({ key: byteString, subkeys, digest })
const standing = fc.oneof(
  fc.constantFrom({ standing: 'nothing' }, { standing: 'absent' }, { standing: 'same' }),
  fc.record({ standing: fc.constant('held'), record }),
  fc.record({ standing: fc.constant('copy'), ageMs: id, record })
)
const outcome = fc.oneof(
  fc.constantFrom(...OUTCOMES).map((outcome) => ({ outcome })),
  fc.record({ outcome: fc.constant('stale'), winner: fc.option(record, { nil: undefined }) })
)

/** All messages of the protocol. */
export const anyMessage: fc.Arbitrary<Message> = fc.oneof(
  fc.record({
    name: fc.constant('find' as const),
    id,
    closerCount,
    isCloserAlways: fc.boolean(),
    maxAge,
    keys: fc.array(findKey, { maxLength: 5 })
  }),
  fc.record({
    name: fc.constant('store' as const),
    id,
    closerCount,
    isCacheOnly: fc.boolean(),
    writes: fc.array(write, { maxLength: 5 })
  }),
  reply('found', standing),
  reply('stored', outcome, ['known']),
  fc.record({ name: fc.constant('busy' as const), id }),
  fc.record({
    name: fc.constant('goodbye' as const),
    id,
    reason: fc.constantFrom('idle' as const, 'leaving' as const)
  })
)

/** A change of some bytes, as a fault or an attacker may make it. */
export type Mutation =
  | { readonly name: 'set' | 'insert'; readonly at: number; readonly byte: number }
  | { readonly name: 'remove' | 'cut'; readonly at: number }

const at = fc.nat(200)
const byte = fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff))

export const anyMutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ name: fc.constantFrom('set' as const, 'insert' as const), at, byte }),
  fc.record({ name: fc.constantFrom('remove' as const, 'cut' as const), at })
)

export function mutated(bytes: Uint8Array, mutations: readonly Mutation[]): Uint8Array {
  const changed = Array.from(bytes)

  for (const mutation of mutations) {
    const place = mutation.at % (changed.length + 1)

    switch (mutation.name) {
      case 'set':
        changed.splice(place, 1, mutation.byte)
        break
      case 'insert':
        changed.splice(place, 0, mutation.byte)
        break
      case 'remove':
        changed.splice(place, 1)
        break
      case 'cut':
        changed.length = place
        break
    }
  }

  return Uint8Array.from(changed)
}

function filled(length: number): Uint8Array {
  return new Uint8Array(length).fill(7)
}
