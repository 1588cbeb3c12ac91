import { randomBytes } from '@libp2p/crypto'
import type { Libp2p, Stream } from '@libp2p/interface'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { HivemindDHT } from '../../src/index.ts'
import { randomId } from '../../src/keys/dht-id.ts'
import { encodeValue } from '../../src/msgpack/msgpack-writer.ts'
import { FIND, PING, STORE } from '../../src/rpc/procedures.ts'
import { callOver } from '../../src/rpc/stream-call.ts'
import { callFrame, type Reply } from '../../src/wire/envelope.ts'
import {
  decodeFindResponse,
  decodePingResponse,
  decodeStoreResponse,
  encodeFindRequest,
  encodePingRequest,
  encodeStoreRequest
} from '../../src/wire/messages.ts'
import { MALFORMED_ALLOWED, sendMalformed } from '../support/malformed-calls.ts'

let victim: HivemindDHT
let attacker: HivemindDHT

beforeEach(async () => {
  victim = await HivemindDHT.create()
  attacker = await HivemindDHT.create({ initialPeers: victim.multiaddrs, clientMode: true })
})

afterEach(async () => {
  await attacker.stop()
  await victim.stop()
})

function open(procedure: string, node: Libp2p = attacker.libp2p): Promise<Stream> {
  return node.dialProtocol(victim.multiaddrs, procedure)
}

async function call(procedure: string, data: Uint8Array, envelope = procedure): Promise<Reply> {
  const frame = { callId: randomBytes(16), peer: new Uint8Array(), procedure: envelope, data }
  return callOver(await open(procedure), frame, AbortSignal.timeout(5000))
}

const PING_DATA = encodePingRequest({ sender: undefined, isValidated: false })

/** Whether the victim still answers others. */
async function assertAnswers(): Promise<void> {
  const other = await HivemindDHT.create({ initialPeers: victim.multiaddrs, clientMode: true })
  expect(await other.store('alive', 1, { ttl: 60 })).toBe(true)
  await other.stop()
}

/** A varint longer than any number. */
const NO_FRAME: Uint8Array = new Uint8Array(11).fill(0xff)

describe('a peer of Hivemind', () => {
  it('answers any peer id in the envelope', async () => {
    const { data } = await call(PING, PING_DATA)
    expect(decodePingResponse(data as Uint8Array).sender).toEqual(victim.nodeId)
  })

  it('goes by the name in the envelope, as Python does', async () => {
    const data = encodeFindRequest({ sender: undefined, keys: [randomId()] })
    const reply = await call(PING, data, FIND)
    expect(decodeFindResponse(reply.data as Uint8Array).results).toHaveLength(1)
  })

  it.each([
    ['a procedure that there is not', PING, PING_DATA, 'DHTProtocol.rpc_nope'],
    ['garbage', STORE, Uint8Array.of(0xff, 0xff), STORE],
    ['a key that is too long', FIND, Uint8Array.of(0x12, 21, ...new Uint8Array(21)), FIND]
  ])('tells what is wrong with %s', async (_, procedure, data, envelope) => {
    const reply = await call(procedure, data, envelope)
    expect(reply.error).toMatch(/^MalformedBytesError/)
  })

  it('answers a caller that closes its side, and one that sends more than a call', async () => {
    const stream = await open(PING)
    const frame = callFrame({
      callId: randomBytes(16),
      peer: new Uint8Array(),
      procedure: PING,
      data: PING_DATA
    })
    const answer = new Promise<number>((resolve) => {
      stream.addEventListener('message', ({ data }) => resolve(data.byteLength))
    })
    stream.send(Uint8Array.of(...frame, 1, 2, 3))
    await stream.close()
    expect(await answer).toBeGreaterThan(0)
  })

  it('refuses what must not be held, item by item', async () => {
    const key = randomId()
    const item = { key, subkey: Uint8Array.of(0xc0), value: Uint8Array.of(1), isInCache: false }
    const expirationTime = Date.now() / 1000 + 60
    const items = [
      { ...item, expirationTime: Number.NaN },
      { ...item, expirationTime: Number.POSITIVE_INFINITY },
      { ...item, expirationTime: 1e300 },
      { ...item, expirationTime: 1 },
      { ...item, expirationTime, value: Uint8Array.of(0xc1) },
      { ...item, expirationTime, subkey: new Uint8Array(0) },
      { ...item, expirationTime, subkey: Uint8Array.of(0x90) },
      { ...item, expirationTime }
    ]
    const { data } = await call(STORE, encodeStoreRequest({ sender: undefined, items }))
    expect(decodeStoreResponse(data as Uint8Array).stored).toEqual([
      ...items.slice(1).map(() => false),
      true
    ])
    expect(victim.stats().records).toBe(1)
  })

  it('keeps a newer value when an older one is refused, which Python loses', async () => {
    const now = Date.now() / 1000
    const item = { key: randomId(), subkey: Uint8Array.of(0xc0), isInCache: false }
    const items = [
      { ...item, value: Uint8Array.of(1), expirationTime: now + 60 },
      { ...item, value: Uint8Array.of(2), expirationTime: now + 0.3 }
    ]
    await call(STORE, encodeStoreRequest({ sender: undefined, items }))
    await expect.poll(() => Date.now() / 1000 > now + 0.5).toBe(true)
    const { data } = await call(FIND, encodeFindRequest({ sender: undefined, keys: [item.key] }))
    expect(decodeFindResponse(data as Uint8Array).results[0]?.found?.value).toEqual(
      Uint8Array.of(1)
    )
  })

  it('takes what is no frame for a mistake, too, and disconnects a peer that goes on (N13d)', async () => {
    const connections = () => victim.libp2p.getConnections(attacker.peerId)

    for (let i = 0; i <= MALFORMED_ALLOWED; i++) {
      expect(connections()).not.toEqual([])
      const stream = await open(PING)
      const closed = new Promise((resolve) => stream.addEventListener('close', resolve))
      stream.send(NO_FRAME)
      await closed
    }

    await expect.poll(connections).toEqual([])
    await assertAnswers()
  })

  it('takes only so many calls of one peer at once', async () => {
    await victim.stop()
    victim = await HivemindDHT.create({ limits: { maxRequestsPerPeer: 4 } })
    const streams = await Promise.all(Array.from({ length: 8 }, () => open(PING)))
    const states = (): string[] => streams.map(({ status }) => status)

    await expect.poll(() => states().filter((status) => status !== 'open')).toHaveLength(4)
    expect(victim.stats().requests).toBe(4)
    await assertAnswers()
  })

  it('takes a few malformed calls for mistakes, and disconnects a peer that goes on (N13d)', async () => {
    const { peerId } = attacker
    const connections = () => victim.libp2p.getConnections(peerId)

    for (let i = 0; i < MALFORMED_ALLOWED; i++) {
      await sendMalformed(attacker.libp2p, victim.libp2p, PING)
    }

    expect(connections()).not.toEqual([])
    await sendMalformed(attacker.libp2p, victim.libp2p, PING)
    await expect.poll(connections).toEqual([])
    await assertAnswers()
  })

  it('counts the bytes of calls that wait for their turn (N13b)', async () => {
    await victim.stop()
    victim = await HivemindDHT.create({
      limits: { maxKeysPerSecondPerPeer: 8, maxBufferedBytesPerPeer: 1024 * 1024 }
    })
    const value = encodeValue(new Uint8Array(400_000))
    const store = (): Promise<Reply> => {
      const item = { key: randomId(), subkey: Uint8Array.of(0xc0), value, isInCache: false }
      const items = [{ ...item, expirationTime: Date.now() / 1000 + 60 }]
      return call(STORE, encodeStoreRequest({ sender: undefined, items }))
    }
    const calls = await Promise.allSettled(Array.from({ length: 12 }, store))

    expect(calls.some(({ status }) => status === 'rejected')).toBe(true)
    await assertAnswers()
  })

  it('answers a request for more than fits a message with an error', async () => {
    const keys = Array.from({ length: 6 }, randomId)
    const value = encodeValue(new Uint8Array(900_000))
    const expirationTime = Date.now() / 1000 + 60

    for (const key of keys) {
      const item = { key, subkey: Uint8Array.of(0xc0), value, expirationTime, isInCache: false }
      await call(STORE, encodeStoreRequest({ sender: undefined, items: [item] }))
    }

    expect(victim.stats().records).toBe(6)
    const reply = await call(FIND, encodeFindRequest({ sender: undefined, keys }))
    expect(reply.error).toMatch(/fewer keys/)
  })

  it('serves others while a peer floods it', async () => {
    const bystander = await HivemindDHT.create({
      initialPeers: victim.multiaddrs,
      clientMode: true,
      cache: false
    })
    await bystander.store('key', 'x', { ttl: 60 })
    const keys = Array.from({ length: 256 }, randomId)
    const data = encodeFindRequest({ sender: undefined, keys })
    let isOver = false
    const flood = Array.from({ length: 32 }, async () => {
      while (!isOver) {
        await call(FIND, data).catch(() => {})
      }
    })

    for (let i = 0; i < 50; i++) {
      expect((await bystander.get('key'))?.value).toBe('x')
    }

    isOver = true
    await Promise.all(flood)
    await bystander.stop()
  })
})
