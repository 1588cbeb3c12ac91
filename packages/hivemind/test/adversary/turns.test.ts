import { randomBytes } from '@libp2p/crypto'
import type { Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ByteWriter } from '../../src/bytes/byte-writer.ts'
import { bytesOf, textOf } from '../../src/bytes/latin1.ts'
import { HivemindDHT } from '../../src/index.ts'
import { randomId } from '../../src/keys/dht-id.ts'
import { encodeValue } from '../../src/msgpack/msgpack-writer.ts'
import { encodeDictionary } from '../../src/record/dictionary.ts'
import { FIND, PING, STORE } from '../../src/rpc/procedures.ts'
import { callFrame } from '../../src/wire/envelope.ts'
import type { StoreItem } from '../../src/wire/items.ts'
import { encodeFindRequest, encodeStoreRequest } from '../../src/wire/messages.ts'
import { type PeerProcess, startPeerProcess } from '../support/peer-process.ts'

const MIB = 2 ** 20
const MAX_FRAME = 4 * MIB

/** No turn of the event loop may take longer because of what one peer sends, in ms. */
const MAX_TURN_MS = 50

/** Milliseconds for the victim to answer or refuse: others' requests come first. */
const PATIENCE_MS = 5000

const PLAIN = Uint8Array.of(0xc0)
const MANY_SUBKEYS = 4096

function item(subkey: Uint8Array, value: Uint8Array): StoreItem {
  const expirationTime = Date.now() / 1000 + 600
  return { key: randomId(), subkey, value, expirationTime, isInCache: false }
}

function call(procedure: string, data: Uint8Array): Uint8Array {
  return callFrame({ callId: randomBytes(16), peer: new Uint8Array(), procedure, data })
}

function store(...items: readonly StoreItem[]): Uint8Array {
  return call(STORE, encodeStoreRequest({ sender: undefined, items }))
}

/** A list of as many equal values as fit into the largest value. */
function listOf(...value: readonly number[]): Uint8Array {
  const count = Math.floor((MIB - 5) / value.length)
  const list = Buffer.alloc(5 + count * value.length, Uint8Array.from(value))
  list[0] = 0xdd
  list.writeUInt32BE(count, 1)
  return list
}

function dictionaryOf(subkeyOf: (i: number) => string | number): Uint8Array {
  const expirationTime = Date.now() / 1000 + 600
  const subkeys = Array.from({ length: MANY_SUBKEYS }, (_, i) => subkeyOf(i))
  const entry = { value: Uint8Array.of(1), expirationTime }
  return encodeDictionary(new Map(subkeys.map((one) => [textOf(encodeValue(one)), entry])))
}

/** As many fields as fit into the largest message: the same two bytes again and again. */
function fields(...field: readonly number[]): Uint8Array {
  return Buffer.alloc(MAX_FRAME - 1024, Uint8Array.from(field))
}

const OWNED = encodeValue('[owner:ssh-rsa AAAA]')

const MESSAGES: Readonly<Record<string, () => Uint8Array>> = {
  'a call of two million fields': () => {
    const message = fields(8, 0)
    const length = new ByteWriter()
    length.varint(message.length)
    return Buffer.concat([length.finish(), message])
  },
  'a request of two million fields': () => call(PING, fields(8, 0)),
  'a search for two million keys': () => call(FIND, fields(18, 0)),
  'a search for as many keys as a request may hold': () =>
    call(
      FIND,
      encodeFindRequest({ sender: undefined, keys: Array.from({ length: 16_000 }, randomId) })
    ),
  'four million booleans': () =>
    call(STORE, Buffer.concat([Uint8Array.of(50, 0xfc, 0xf7, 0xff, 1), fields(1)])),
  'a procedure whose name has megabytes': () => call('\u0001'.repeat(MAX_FRAME / 2), PLAIN),
  'a list of a million empty dictionaries': () => store(item(PLAIN, listOf(0x80))),
  'a list of half a million empty byte strings': () => store(item(PLAIN, listOf(0xc4, 0))),
  'a list of a million numbers': () => store(item(PLAIN, listOf(1))),
  'a dictionary whose subkeys expire together': () =>
    store(
      item(
        new Uint8Array(0),
        dictionaryOf((i) => `subkey ${i}`)
      )
    ),
  'a dictionary of numbers': () =>
    store(
      item(
        new Uint8Array(0),
        dictionaryOf((i) => i)
      )
    ),
  'a hundred thousand beginnings of a signature': () =>
    store(item(OWNED, bytesOf(`\x01${'[signature:'.repeat(90_000)}`))),
  'as many items as fit': () => store(...Array.from({ length: 16_000 }, () => item(PLAIN, PLAIN)))
}

describe('a peer of Hivemind', () => {
  let victim: PeerProcess
  let attacker: HivemindDHT

  beforeAll(async () => {
    victim = await startPeerProcess([])
    attacker = await HivemindDHT.create({ initialPeers: [...victim.maddrs], clientMode: true })
  })

  afterAll(async () => {
    await attacker?.stop()
    await victim?.kill()
  })

  it.each(Object.keys(MESSAGES))(
    'is kept by no message for more than a moment: %s (N13a)',
    async (kind) => {
      const message = MESSAGES[kind]?.() ?? new Uint8Array(0)
      await victim.longestTurnMs()
      const stream = await attacker.libp2p.dialProtocol(
        victim.maddrs.map((address) => multiaddr(address)),
        PING
      )
      await answered(stream, message)
      expect(await victim.longestTurnMs()).toBeLessThan(MAX_TURN_MS)
    }
  )
})

/** Sends a message, and waits until it is answered or refused, or until the victim does neither. */
async function answered(stream: Stream, message: Uint8Array): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  stream.addEventListener('message', () => resolve())
  stream.addEventListener('close', () => resolve())
  const timer = setTimeout(resolve, PATIENCE_MS)
  stream.send(message)
  await promise
  clearTimeout(timer)
  stream.abort(new Error('enough'))
}
