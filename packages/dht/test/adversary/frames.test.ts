import process from 'node:process'
import { DHT } from '@waggle/dht'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PeerProcess } from '../support/peer-process.ts'
import { type RawConnection, rawConnection, yamuxFrame } from '../support/raw-frames.ts'

const { WAGGLE_LONG } = process.env
const isLong = WAGGLE_LONG === '1'
const FLOOD_MS = isLong ? 10_000 : 1000
const SHORT_FLOOD_MS = 300

/** Milliseconds of a turn of the event loop, whatever one peer sends. */
const MAX_TURN_MS = 50

const [DATA, WINDOW_UPDATE, PING, GO_AWAY] = [0, 1, 2, 3]
const [SYN, ACK, FIN, RST] = [1, 2, 4, 8]
const MAX_WINDOW = 2 ** 32 - 1
const PIECE_FRAMES = 2000
const MULTISTREAM = Buffer.from('\x13/multistream/1.0.0\n')
const UNKNOWN = Buffer.concat([MULTISTREAM, Buffer.from('\x0a/unknown1\n')])

/** Offers of protocols without a name. */
const OFFERS = Buffer.concat([MULTISTREAM, ...new Array(200).fill(Uint8Array.of(1, 10))])

let nextStream = 1

/** Returns the number of the next stream: odd, as a caller's are. */
function fresh(): number {
  nextStream = (nextStream + 2) % 2 ** 31
  return nextStream
}

/** The first stream that a caller opens. */
const KNOWN = 1

const FRAMES: Readonly<Record<string, () => Uint8Array>> = {
  pings: () => yamuxFrame({ type: PING, flags: SYN, length: 1 }),
  'window updates': () => yamuxFrame({ type: WINDOW_UPDATE, stream: 1, length: 10 }),
  'streams that are opened': () => yamuxFrame({ type: WINDOW_UPDATE, flags: SYN, stream: fresh() }),
  'streams that are opened and reset': () => {
    const stream = fresh()
    return Buffer.concat([
      yamuxFrame({ type: WINDOW_UPDATE, flags: SYN, stream }),
      yamuxFrame({ type: WINDOW_UPDATE, flags: RST, stream })
    ])
  },
  'streams of an unknown protocol': () =>
    yamuxFrame({
      type: DATA,
      flags: SYN,
      stream: fresh(),
      length: UNKNOWN.length,
      body: UNKNOWN
    }),
  'streams with as many offers as fit': () =>
    yamuxFrame({ type: DATA, flags: SYN, stream: fresh(), length: OFFERS.length, body: OFFERS }),
  'frames without a byte': () => yamuxFrame({ type: DATA, stream: 1 }),
  'data of one byte': () =>
    yamuxFrame({ type: DATA, stream: 1, length: 1, body: Uint8Array.of(0) }),
  'answers to pings that nobody sent': () => yamuxFrame({ type: PING, flags: ACK, length: 7 }),
  'streams that are opened again and again': () =>
    yamuxFrame({ type: WINDOW_UPDATE, flags: SYN, stream: KNOWN, length: MAX_WINDOW }),
  'windows beyond any size': () =>
    yamuxFrame({ type: WINDOW_UPDATE, stream: KNOWN, length: MAX_WINDOW }),
  'streams that are opened, and get data after their end': () => {
    const stream = fresh()
    return Buffer.concat([
      yamuxFrame({ type: WINDOW_UPDATE, flags: SYN | FIN, stream }),
      yamuxFrame({ type: DATA, stream, length: 1, body: Uint8Array.of(0) })
    ])
  },
  'streams that this side should have opened': () =>
    yamuxFrame({ type: WINDOW_UPDATE, flags: ACK, stream: fresh() + 1 })
}

describe('frames of the muxer', () => {
  let victim: PeerProcess
  let honest: DHT

  beforeAll(async () => {
    victim = await PeerProcess.start()
    honest = await DHT.create({
      clientMode: true,
      initialPeers: [...victim.multiaddrs],
      cache: false
    })
  })

  afterAll(async () => {
    await honest?.stop()
    await victim?.[Symbol.asyncDispose]()
  })

  it.each(Object.keys(FRAMES))('are handled in turns: %s (N13a)', async (kind) => {
    await using raw = await rawConnection(victim.multiaddrs)
    await victim.longestTurnMs()
    const until = performance.now() + FLOOD_MS
    const flood = send(raw, FRAMES[kind] as () => Uint8Array, until)
    let calls = 0

    while (performance.now() < until) {
      expect(await honest.store('key', calls, { ttl: 60 })).toBe(true)
      calls++
    }

    expect(await flood).toBeGreaterThanOrEqual(PIECE_FRAMES)
    expect(calls).toBeGreaterThan(20)
    expect(await victim.longestTurnMs()).toBeLessThan(MAX_TURN_MS)
  })

  it.each([
    ['goodbyes', () => yamuxFrame({ type: GO_AWAY })],
    ['frames of an unknown type', () => yamuxFrame({ type: 9 })],
    ['streams with an even number', () => yamuxFrame({ type: DATA, flags: SYN, stream: 2 })]
  ])('harm nobody else: %s (N13a)', async (_, frame) => {
    await using raw = await rawConnection(victim.multiaddrs)
    await victim.longestTurnMs()
    await send(raw, frame, performance.now() + SHORT_FLOOD_MS)
    expect(await honest.store('key', 'value', { ttl: 60 })).toBe(true)
    expect(await victim.longestTurnMs()).toBeLessThan(MAX_TURN_MS)
  })

  it('are not waited for if they are larger than any may be (N13b)', async () => {
    await using raw = await rawConnection(victim.multiaddrs)
    const { promise, resolve } = Promise.withResolvers<void>()
    raw.wire.addEventListener('close', () => resolve())
    raw.wire.send(yamuxFrame({ type: DATA, stream: 1, length: 2 ** 32 - 1 }))
    await promise
  })

  it('are decrypted in turns, however small their messages are (N13a)', async () => {
    await using raw = await rawConnection(victim.multiaddrs)
    await victim.longestTurnMs()
    const until = performance.now() + FLOOD_MS
    let sent = 0

    while (performance.now() < until && raw.wire.status === 'open') {
      for (let i = 0; i < PIECE_FRAMES; i++) {
        raw.wire.send(yamuxFrame({ type: WINDOW_UPDATE, stream: 1, length: 10 }))
      }

      sent += PIECE_FRAMES
      await new Promise((resolve) => setTimeout(resolve, 5))
    }

    expect(sent).toBeGreaterThan(PIECE_FRAMES)
    expect(await victim.longestTurnMs()).toBeLessThan(MAX_TURN_MS)
  })

  async function send(
    { wire }: RawConnection,
    frame: () => Uint8Array,
    until: number
  ): Promise<number> {
    let sent = 0

    while (performance.now() < until && wire.status === 'open') {
      const piece = Buffer.concat(Array.from({ length: PIECE_FRAMES }, frame))
      sent += PIECE_FRAMES

      if (!wire.send(piece)) {
        const signal = AbortSignal.timeout(Math.ceil(Math.max(1, until - performance.now())))
        await wire.onDrain({ signal }).catch(() => {})
      }

      await new Promise((resolve) => setTimeout(resolve, 1))
    }

    return sent
  }
})
