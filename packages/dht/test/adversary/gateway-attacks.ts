import { randomBytes } from 'node:crypto'
import { encodeRecord, getDHTTime, plainRecord, recordKey, subkeyRecord } from '@waggle/record'
import {
  GATEWAY,
  GATEWAY_PROTOCOL,
  type GatewayMessage
} from '../../src/gateway/gateway-messages.ts'
import {
  WATCH,
  WATCH_PROTOCOL,
  type WatchMessage,
  type WatchRole
} from '../../src/watch/watch-messages.ts'
import type { MessageCodec } from '../../src/wire/schema.ts'
import { Talker } from '../support/exchange-talker.ts'
import type { Attack, Attacker } from './attacker.ts'

const TTL = 3600
const KEYS = 256
const STREAMS = 4
const MAX_WAIT_MS = 1000

/** Dictionaries of 256 entries of 4 KiB: as large as a record may be. */
const LARGE_KEYS = 8
const ENTRIES = 250
const ENTRY_BYTES = 4096

type GatewayTalker = Talker<GatewayMessage>

/** Attacks on a server's work for clients that cannot dial the replicas (N14). */
export const gatewayAttacks = {
  'gateway lookups': {
    what: 'lookups on behalf of a client, of 256 keys at once that nobody knows',
    isOffence: false,
    run: (attacker) =>
      onGateway(attacker, async (talker) => {
        talker.say(readOf(fresh()))
        await reply(attacker, talker)
      })
  },

  'gateway large records': {
    what: 'such lookups of keys with as much as a record may hold',
    isOffence: false,
    async run(attacker) {
      await storeLarge(attacker)
      await onGateway(attacker, async (talker) => {
        talker.say(readOf(Array.from({ length: KEYS }, (_, i) => largeKey(i))))
        await reply(attacker, talker)
      })
    }
  },

  'gateway slow reader': {
    what: 'such lookups, of which no answer is read',
    isOffence: false,
    async run(attacker) {
      await storeLarge(attacker)
      await onGateway(attacker, async (talker) => {
        talker.stream.pause()

        while (!attacker.isDone && talker.stream.writeStatus === 'writable') {
          talker.say(readOf(Array.from({ length: KEYS }, (_, i) => largeKey(i))))
          await attacker.pause(20)
        }
      })
    }
  },

  'gateway deserters': {
    what: 'such lookups on streams that end at once',
    isOffence: false,
    run: (attacker) =>
      onGateway(attacker, async (talker) => {
        talker.say(readOf(fresh()))
        await attacker.pause(1)
      })
  },

  'gateway writes': {
    what: 'writes on behalf of a client, of 256 keys at once, each of its own',
    isOffence: false,
    run: (attacker) =>
      onGateway(attacker, async (talker) => {
        const record = encodeRecord(plainRecord(randomBytes(50), getDHTTime() + TTL))
        talker.say({ name: 'write', id: 1, writes: fresh().map((key) => ({ key, record })) })
        await reply(attacker, talker)
      })
  },

  'gateway watches': {
    what: 'keys that are watched on behalf of a client, and let go at once, 256 at a time',
    isOffence: false,
    run: (attacker) => watches(attacker, 'remote')
  },

  'forwarded watches': {
    what: 'the same of keys that a forwarder is to watch',
    isOffence: false,
    run: (attacker) => watches(attacker, 'dependant')
  },

  'gateway answers': {
    what: 'answers of a gateway that nobody has asked',
    isOffence: true,
    run: (attacker) =>
      onGateway(attacker, async (talker) => {
        talker.say({ name: 'records', id: 7, answers: [{ state: 'absent', responded: 3 }] })
        await attacker.pause(5)
      })
  }
} satisfies Record<string, Attack>

function onGateway(
  attacker: Attacker,
  round: (talker: GatewayTalker) => Promise<void>
): Promise<void> {
  return onStreams(attacker, { protocol: GATEWAY_PROTOCOL, codec: GATEWAY }, round)
}

function watches(attacker: Attacker, role: WatchRole): Promise<void> {
  return onStreams<WatchMessage>(
    attacker,
    { protocol: WATCH_PROTOCOL, codec: WATCH },
    async (talker) => {
      while (!attacker.isDone && talker.stream.writeStatus === 'writable') {
        const keys = fresh().map((key) => ({ key, digest: new Uint8Array(0) }))
        talker.say({ name: 'watch', closerCount: 0, role, keys }, { name: 'unwatch', keys })
        await reply(attacker, talker)
        await reply(attacker, talker)
      }
    }
  )
}

/** Opens streams, a few at once, and uses each for one round. */
async function onStreams<M extends { name: string }>(
  attacker: Attacker,
  { protocol, codec }: { readonly protocol: string; readonly codec: MessageCodec<M> },
  round: (talker: Talker<M>) => Promise<void>
): Promise<void> {
  const rounds = async (): Promise<void> => {
    while (!attacker.isDone) {
      const stream = await attacker.open(protocol)

      if (stream !== undefined) {
        attacker.tried()
        await round(new Talker(stream, codec)).catch(() => attacker.heard('error'))
        stream.abort(new Error('the round is over'))
      }
    }
  }

  await Promise.all(Array.from({ length: STREAMS }, rounds))
}

/** Waits for the next message, and counts its kind. */
async function reply<M extends { name: string }>(
  attacker: Attacker,
  talker: Talker<M>
): Promise<void> {
  const ended = Promise.race([talker.ended, attacker.pause(MAX_WAIT_MS)]).then(() => undefined)
  const message = await Promise.race([talker.hearAny(), ended])
  attacker.heard(message?.name ?? 'no answer')
}

function readOf(keys: readonly Uint8Array[]): GatewayMessage {
  return { name: 'read', id: 1, isLatest: true, keys: keys.map((key) => ({ key })) }
}

function fresh(): Uint8Array[] {
  return Array.from({ length: KEYS }, () => recordKey(randomBytes(12)))
}

function largeKey(i: number): Uint8Array {
  return recordKey(`large ${i % LARGE_KEYS}`)
}

async function storeLarge(attacker: Attacker): Promise<void> {
  const stream = await attacker.open(GATEWAY_PROTOCOL)
  const talker = stream && new Talker<GatewayMessage>(stream, GATEWAY)

  for (let i = 0; i < LARGE_KEYS; i++) {
    const writes = Array.from({ length: ENTRIES }, (_, subkey) => ({
      key: largeKey(i),
      record: encodeRecord(subkeyRecord(subkey, randomBytes(ENTRY_BYTES), getDHTTime() + TTL))
    }))
    talker?.say({ name: 'write', id: 1, writes })
    await talker?.hear('outcomes')
  }

  stream?.abort(new Error('all is stored'))
}
