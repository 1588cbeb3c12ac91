import { randomBytes } from 'node:crypto'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import {
  type DHTRecord,
  decodeRecord,
  encodeRecord,
  getDHTTime,
  ownerTag,
  plainRecord,
  recordKey,
  subkeyRecord
} from '@waggle/record'
import type { StoreRequest } from '../../src/exchange/messages.ts'
import { encodedWrite } from '../support/exchange-serving.ts'
import { encoded, frameOf, headOf, type Talker } from '../support/exchange-talker.ts'
import { findKey, nothing, recordIn } from '../support/find-answers.ts'
import type { Attack, Attacker } from './attacker.ts'
import { changed, signedAtRandom, tombstoned, unsigned } from './forgeries.ts'
import { gatewayAttacks } from './gateway-attacks.ts'
import { libp2pAttacks } from './libp2p-attacks.ts'

const TTL = 3600

const MIB = 2 ** 20

/** The seed of the honest peer's key. All peers know its id, and could know its key. */
export const HONEST_SEED: Uint8Array = new Uint8Array(32).fill(7)

/** Makes a key that belongs to the honest peer. */
export async function ownedKey(): Promise<string> {
  const { publicKey } = await generateKeyPairFromSeed('Ed25519', HONEST_SEED)
  return `honest, and its own ${ownerTag(peerIdFromPublicKey(publicKey))}`
}

/** The key of honest records during an attack, which attackers know. */
export const HONEST_KEY = 'honest, and known to all'

const attacks = {
  garbage: {
    what: 'random bytes',
    isOffence: true,
    run: (attacker) => again(attacker, (talker) => talker.sayBytes(randomBytes(5000)))
  },

  truncated: {
    what: 'frames that end in the middle, and their streams with them',
    isOffence: false,
    run: (attacker) =>
      again(attacker, (talker) => {
        talker.sayBytes(frameOf(encoded(find(['a']))).subarray(0, 9))
        talker.stream.abort(new Error('enough'))
      })
  },

  oversized: {
    what: 'messages of 4 GiB',
    isOffence: true,
    run: (attacker) => again(attacker, (talker) => talker.sayBytes(headOf(2 ** 32 - 1)))
  },

  endless: {
    what: 'messages of 4 MiB that never end, on as many streams as there may be',
    isOffence: false,
    run: (attacker) =>
      again(attacker, async (talker) => {
        talker.sayBytes(headOf(4 * MIB))
        talker.sayBytes(new Uint8Array(3 * MIB))

        while (!attacker.isDone && talker.stream.status === 'open') {
          talker.sayBytes(Uint8Array.of(0))
          await attacker.pause(20)
        }
      })
  },

  'slow reader': {
    what: 'questions for much, of which no answer is read',
    isOffence: false,
    async run(attacker) {
      await storeLarge(attacker)
      await again(attacker, async (talker) => {
        talker.stream.pause()
        talker.sayBytes(repeated(find(['large']), 20_000))

        while (!attacker.isDone && talker.stream.status === 'open') {
          await attacker.pause(100)
        }
      })
    }
  },

  'slow writer': {
    what: 'questions that come byte by byte',
    isOffence: false,
    run: (attacker) =>
      again(attacker, async (talker) => {
        for (const byte of frameOf(encoded(find(['a', 'b', 'c'])))) {
          talker.sayBytes(Uint8Array.of(byte))
          await attacker.pause(5)
        }
      })
  },

  'parallel requests': {
    what: '10,000 requests at once, again and again',
    isOffence: false,
    run: (attacker) =>
      again(attacker, async (talker) => {
        const requests = 10_000
        talker.sayBytes(repeated(find(['a']), requests))
        await answers(attacker, talker, requests)
      })
  },

  'wide requests': {
    what: 'requests for 256 keys, and all peers near to them',
    isOffence: false,
    run: (attacker) =>
      again(attacker, async (talker) => {
        const keys = Array.from({ length: 256 }, () => randomBytes(8).toString('hex'))
        talker.sayBytes(repeated(find(keys, 20), 50))
        await answers(attacker, talker, 50)
      })
  },

  'unasked answers': {
    what: 'answers to requests that nobody made',
    isOffence: true,
    run: (attacker) =>
      again(attacker, (talker) =>
        talker.say({ name: 'found', id: 7, peers: [], answers: [nothing()] })
      )
  },

  replayed: {
    what: 'a record that was replaced long ago',
    isOffence: false,
    run: (attacker) => {
      const old = encodeRecord(plainRecord('old', getDHTTime() + 60))
      return again(attacker, async (talker) => {
        talker.say(store([encodedWrite(recordKey(HONEST_KEY), old)]))
        await answers(attacker, talker, 1)
      })
    }
  },

  forged: {
    what: 'entries in the place of another peer: its own ones, changed under its signature, and as they were before',
    isOffence: true,
    async run(attacker) {
      const key = recordKey(await ownedKey())
      let seen: DHTRecord | undefined
      await again(attacker, async (talker) => {
        talker.say(find([await ownedKey()]))
        const { answers: found } = await talker.hear('found')
        const record = recordIn(found[0])
        const held = record && decodeRecord(record)
        seen ??= held

        if (seen !== undefined && held !== undefined) {
          const records = [changed(held), unsigned(held), tombstoned(held), seen]
          talker.say(store(records.map((record) => encodedWrite(key, encodeRecord(record)))))
          await answers(attacker, talker, 1)
        }
      })
    }
  },

  'forged signatures': {
    what: 'entries in places of their own owners, under signatures of random bytes',
    isOffence: true,
    async run(attacker) {
      const place = await ownedKey()
      await again(attacker, async (talker) => {
        const writes = Array.from({ length: 256 }, () =>
          encodedWrite(
            recordKey(`${randomBytes(8).toString('hex')} ${place}`),
            encodeRecord(signedAtRandom(plainRecord('forged', getDHTTime() + TTL)))
          )
        )
        talker.say(store(writes))
        await answers(attacker, talker, 1)
      })
    }
  },

  'far future': {
    what: 'records that expire in a thousand years',
    isOffence: false,
    run: (attacker) =>
      again(attacker, async (talker) => {
        const record = encodeRecord(plainRecord('for ever', getDHTTime() + 3e10))
        talker.say(
          store(fresh(64, () => record)),
          store([encodedWrite(recordKey(HONEST_KEY), record)])
        )
        await answers(attacker, talker, 2)
      })
  },

  'random keys': {
    what: 'as many keys as possible, each once, which expire as late as may be',
    isOffence: false,
    run: (attacker) =>
      again(attacker, async (talker) => {
        const record = encodeRecord(plainRecord(randomBytes(50), getDHTTime() + 29 * 86_400))
        const requests = 8
        talker.say(...Array.from({ length: requests }, () => store(fresh(256, () => record))))
        await answers(attacker, talker, requests)
      })
  },

  dictionaries: {
    what: 'dictionaries that are filled to the limit, and written to again and again',
    isOffence: false,
    async run(attacker) {
      let subkey = 0
      await again(attacker, async (talker) => {
        const writes = Array.from({ length: 256 }, () =>
          encodedWrite(
            recordKey('a dictionary'),
            encodeRecord(subkeyRecord(subkey++, 'x', getDHTTime() + TTL + subkey / 100))
          )
        )
        talker.say(store(writes))
        await answers(attacker, talker, 1)
      })
    }
  },

  ...libp2pAttacks,
  ...gatewayAttacks,

  'streams without end': {
    what: 'streams that are opened and left alone',
    isOffence: false,
    run: (attacker) => again(attacker, () => attacker.pause(1))
  }
} satisfies Record<string, Attack>

export type AttackName = keyof typeof attacks

export const attackNames = Object.keys(attacks) as readonly AttackName[]

export function attackCalled(name: AttackName): Attack {
  return attacks[name]
}

/** Repeats rounds, several at once, each on a new stream. */
async function again(
  attacker: Attacker,
  round: (talker: Talker) => Promise<void> | void
): Promise<void> {
  const rounds = async (): Promise<void> => {
    while (!attacker.isDone) {
      const talker = await attacker.talk()

      if (talker !== undefined) {
        await oneRound(attacker, talker, round)
      }
    }
  }

  await Promise.all([rounds(), rounds(), rounds()])
}

async function oneRound(
  attacker: Attacker,
  talker: Talker,
  round: (talker: Talker) => Promise<void> | void
): Promise<void> {
  try {
    attacker.tried()
    await round(talker)
    await attacker.pause(1)
  } catch (error) {
    attacker.heard(error instanceof Error ? error.name : 'error')
  } finally {
    talker.stream.abort(new Error('the round is over'))
  }
}

/** Reads some answers, and counts their kinds and outcomes. */
async function answers(attacker: Attacker, talker: Talker, count: number): Promise<void> {
  const ended = Promise.race([talker.ended, attacker.pause(10_000)]).then(() => undefined)

  for (let i = 0; i < count; i++) {
    const message = await Promise.race([talker.hearAny(), ended])

    if (message === undefined) {
      attacker.heard('no answer', count - i)
      return
    }

    attacker.heard(message.name)

    for (const { outcome } of message.name === 'stored' ? message.answers : []) {
      attacker.heard(outcome)
    }
  }
}

async function storeLarge(attacker: Attacker): Promise<void> {
  const talker = await attacker.talk()
  const record = encodeRecord(plainRecord(new Uint8Array(200 * 1024), getDHTTime() + TTL))
  talker?.say(store([encodedWrite(recordKey('large'), record)]))
  await talker?.hear('stored')
}

function find(keys: readonly string[], closerCount = 0) {
  return {
    name: 'find' as const,
    id: 1,
    closerCount,
    isCloserAlways: closerCount > 0,
    maxAge: 0,
    keys: keys.map((key) => findKey(recordKey(key)))
  }
}

function store(writes: StoreRequest['writes']): StoreRequest {
  return { name: 'store', id: 1, closerCount: 0, isCacheOnly: false, writes }
}

function fresh(count: number, record: () => Uint8Array): StoreRequest['writes'] {
  return Array.from({ length: count }, () => encodedWrite(recordKey(randomBytes(12)), record()))
}

function repeated(message: Parameters<typeof encoded>[0], count: number): Uint8Array {
  return Buffer.concat(new Array(count).fill(frameOf(encoded(message))))
}
