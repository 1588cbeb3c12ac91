import { randomBytes } from 'node:crypto'
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { encodeRecord, getDHTTime, plainRecord, recordKey } from '@waggle/record'
import { createLibp2p } from 'libp2p'
import { CLOCK_PROTOCOL } from '../../src/clock/clock-messages.ts'
import { DEFAULT_KAD_PROTOCOL } from '../../src/constants.ts'
import { delimited } from '../../src/door/units.ts'
import { EXCHANGE_PROTOCOL } from '../../src/exchange/messages.ts'
import { GATEWAY, GATEWAY_PROTOCOL } from '../../src/gateway/gateway-messages.ts'
import {
  FIND_NODE,
  GET_VALUE,
  PING,
  PUT_VALUE,
  writeKadMessage
} from '../../src/kad/kad-messages.ts'
import { HOP_PROTOCOL, STOP_PROTOCOL } from '../../src/node/relay-guards.ts'
import { INTRODUCTION, INTRODUCTION_PROTOCOL } from '../../src/pages/introduction-messages.ts'
import { COMPARE, COMPARE_PROTOCOL } from '../../src/upkeep/compare-messages.ts'
import { WATCH, WATCH_PROTOCOL } from '../../src/watch/watch-messages.ts'
import { ByteWriter } from '../../src/wire/bytes.ts'
import { writeBytesField, writeVarintField } from '../../src/wire/protobuf.ts'
import type { MessageCodec } from '../../src/wire/schema.ts'
import { encoded, frameOf, headOf } from '../support/exchange-talker.ts'
import { findKey } from '../support/find-answers.ts'

const MIB = 2 ** 20

/** Messages of one protocol. */
export interface Vocabulary {
  /** The smallest valid messages, in one piece. Empty where the protocol has none to begin with. */
  readonly small: readonly Uint8Array[]

  /** The beginning of the largest possible message. */
  readonly half: Uint8Array

  /** A message of the largest size, or larger. */
  readonly large: Uint8Array
}

const NOTHING = new Uint8Array(0)

/** Encodes the length before a message, as libp2p does. */
function lengthOf(bytes: number): Uint8Array {
  const writer = new ByteWriter()
  writer.varint(bytes)
  return writer.take()
}

function kad(type: number, parts: { key?: Uint8Array; record?: Uint8Array } = {}): Uint8Array {
  const message = { key: undefined, record: undefined, clusterLevel: undefined, ...parts }
  return delimited(writeKadMessage({ type, closer: [], providers: [], ...message }))
}

/** Makes a message of one of libp2p's protocols that has only a type. */
function typed(type: number): Uint8Array {
  const writer = new ByteWriter()
  writeVarintField(writer, 1, type)
  return delimited(writer.take())
}

function libp2pWords(maxBytes: number, ...small: readonly Uint8Array[]): Vocabulary {
  const body = new Uint8Array(maxBytes)
  return {
    small,
    half: Buffer.concat([lengthOf(maxBytes), body.subarray(0, maxBytes / 2)]),
    large: Buffer.concat([lengthOf(2 * maxBytes), body, body])
  }
}

function written(write: (to: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter()
  write(writer)
  return writer.take()
}

function ourWords(...small: readonly Uint8Array[]): Vocabulary {
  return {
    small,
    half: Buffer.concat([headOf(4 * MIB), new Uint8Array(2 * MIB)]),
    large: Buffer.concat([headOf(8 * MIB), new Uint8Array(8 * MIB)])
  }
}

function dialRequest(): Uint8Array {
  const writer = new ByteWriter()
  const dial = new ByteWriter()
  writeBytesField(dial, 1, randomBytes(34))
  writeBytesField(writer, 2, dial.take())
  return delimited(writer.take())
}

/** Makes the identity of a peer, the same each time. */
function identity(): Uint8Array {
  const writer = new ByteWriter()
  writeBytesField(writer, 3, Buffer.from(CLOCK_PROTOCOL))
  return delimited(writer.take())
}

/** The number of the message that asks for the time. */
const CLOCK_QUESTION = Uint8Array.of(0)

/** Makes a message of one of Waggle's protocols. */
function ours<M>(codec: MessageCodec<M>, message: M): Uint8Array {
  return frameOf(written((to) => codec.write(to, message)))
}

const KEY = recordKey('a')
const NO_DIGEST = new Uint8Array(0)

const READ = ours(GATEWAY, { name: 'read', id: 1, isLatest: true, keys: [{ key: KEY }] })
const WRITE = ours(GATEWAY, {
  ...{ name: 'write', id: 1 },
  writes: [{ key: KEY, record: encodeRecord(plainRecord('x', getDHTTime() + 3600)) }]
})
const WATCHES = (['prompt', 'dependant', 'remote'] as const).map((role) =>
  ours(WATCH, { name: 'watch', closerCount: 0, role, keys: [{ key: KEY, digest: NO_DIGEST }] })
)
const UNWATCH = ours(WATCH, { name: 'unwatch', keys: [{ key: KEY }] })
const INTRODUCE = [true, false].map((isReachable) =>
  ours(INTRODUCTION, { name: 'introduce', isReachable })
)
const COMPARISON = ours(COMPARE, { name: 'compare', keys: [KEY] })

const FIND = frameOf(
  encoded({
    ...{ name: 'find', id: 1, closerCount: 0, isCloserAlways: false, maxAge: 0 },
    keys: [findKey(recordKey('a'))]
  })
)

/** All protocols of a node, and their messages. A protocol that is missing here fails the tests. */
export const VOCABULARIES: Readonly<Record<string, Vocabulary>> = {
  [DEFAULT_KAD_PROTOCOL]: {
    ...libp2pWords(
      4 * MIB,
      kad(PING),
      kad(FIND_NODE, { key: Buffer.concat([Uint8Array.of(0x12, 0x20), randomBytes(32)]) }),
      kad(GET_VALUE, { key: recordKey('a') })
    ),
    large: kad(PUT_VALUE, { key: recordKey('a'), record: new Uint8Array(4 * MIB - 1000) })
  },
  [EXCHANGE_PROTOCOL]: ourWords(FIND),
  [WATCH_PROTOCOL]: ourWords(...WATCHES, UNWATCH),
  [COMPARE_PROTOCOL]: ourWords(COMPARISON),
  [GATEWAY_PROTOCOL]: ourWords(READ, WRITE),
  [INTRODUCTION_PROTOCOL]: ourWords(...INTRODUCE),
  [CLOCK_PROTOCOL]: ourWords(frameOf(CLOCK_QUESTION)),
  '/ipfs/id/1.0.0': { small: [Uint8Array.of(0)], half: NOTHING, large: new Uint8Array(MIB) },
  '/ipfs/id/push/1.0.0': libp2pWords(8192, identity()),
  '/ipfs/ping/1.0.0': {
    small: [randomBytes(32)],
    half: randomBytes(16),
    large: new Uint8Array(MIB)
  },
  '/libp2p/autonat/1.0.0': libp2pWords(8192, dialRequest()),
  '/libp2p/dcutr': libp2pWords(4096, typed(100)),
  [HOP_PROTOCOL]: libp2pWords(8192, typed(0), typed(1)),
  [STOP_PROTOCOL]: libp2pWords(8192, typed(0))
}

/** Misuses a protocol as one peer, until the signal is aborted. */
export type Flood = (flooder: Flooder, protocol: string) => Promise<void>

/** Streams used at once by attacks with many. */
const MANY_STREAMS = 512
const FEW_STREAMS = 8
const PIECE_BYTES: number = 64 * 1024

export const FLOODS: Readonly<Record<string, Flood>> = {
  'small valid messages': (flooder, protocol) => {
    const { small } = VOCABULARIES[protocol] as Vocabulary
    const each = Math.max(1, ...small.map((message) => Math.floor(PIECE_BYTES / message.length)))
    const pieces = small.map((message) => Buffer.concat(new Array(each).fill(message)))
    return flooder.onStreams(FEW_STREAMS, protocol, async (stream) => {
      for (
        let i = 0;
        pieces.length > 0 && (await flooder.say(stream, pieces[i % pieces.length]));
        i++
      );
    })
  },
  'half messages': (flooder, protocol) =>
    flooder.onStreams(MANY_STREAMS, protocol, async (stream) => {
      await flooder.say(stream, VOCABULARIES[protocol]?.half)
      await flooder.whileOpen(stream)
    }),
  'large messages': (flooder, protocol) =>
    flooder.onStreams(FEW_STREAMS, protocol, async (stream) => {
      while (await flooder.say(stream, VOCABULARIES[protocol]?.large));
    }),
  'idle streams': (flooder, protocol) =>
    flooder.onStreams(MANY_STREAMS, protocol, (stream) => flooder.whileOpen(stream))
}

/** One peer that floods another, by libp2p's own means. */
export class Flooder implements AsyncDisposable {
  readonly signal: AbortSignal
  readonly #node: Libp2p
  readonly #victim: readonly Multiaddr[]
  #sentBytes = 0
  #tried = 0

  private constructor(node: Libp2p, victim: readonly Multiaddr[], signal: AbortSignal) {
    this.#node = node
    this.#victim = victim
    this.signal = signal
  }

  static async start(victim: readonly string[], forMs: number): Promise<Flooder> {
    const node = await createLibp2p({
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      connectionMonitor: { enabled: false }
    })
    const addresses = victim.map((address) => multiaddr(address))
    await node.dial(addresses)
    return new Flooder(node, addresses, AbortSignal.timeout(forMs))
  }

  get sentBytes(): number {
    return this.#sentBytes
  }

  /** Streams that it has tried to open. */
  get tried(): number {
    return this.#tried
  }

  /** Uses some streams, each repeatedly. */
  async onStreams(
    count: number,
    protocol: string,
    use: (stream: Stream) => Promise<void>
  ): Promise<void> {
    await Promise.all(
      Array.from({ length: count }, async () => {
        while (!this.signal.aborted) {
          await this.#useOne(protocol, use)
        }
      })
    )
  }

  /**
   * Sends bytes, and returns whether more can be sent: false when the stream or the flood has ended.
   */
  async say(stream: Stream, bytes: Uint8Array = NOTHING): Promise<boolean> {
    for (let at = 0; at < bytes.length && this.#isOpen(stream); at += PIECE_BYTES) {
      const piece = bytes.subarray(at, at + PIECE_BYTES)
      this.#sentBytes += piece.length

      if (!stream.send(piece)) {
        await stream.onDrain({ signal: this.signal })
      }
    }

    await new Promise((resolve) => setImmediate(resolve))
    return this.#isOpen(stream)
  }

  async whileOpen(stream: Stream): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    stream.addEventListener('close', () => resolve())
    this.signal.addEventListener('abort', () => resolve())
    await promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#node.stop()
  }

  #isOpen(stream: Stream): boolean {
    return !this.signal.aborted && stream.writeStatus === 'writable'
  }

  async #useOne(protocol: string, use: (stream: Stream) => Promise<void>): Promise<void> {
    let stream: Stream | undefined

    this.#tried++

    try {
      const connection = await this.#connection()
      stream = await connection.newStream(protocol, {
        maxOutboundStreams: 2 * MANY_STREAMS,
        signal: this.signal
      })
      await use(stream)
    } catch {
      // The victim has had enough of it.
      await new Promise((resolve) => setTimeout(resolve, 5))
    } finally {
      stream?.abort(new Error('enough'))
    }
  }

  #connection(): Promise<Connection> {
    return this.#node.dial([...this.#victim], { signal: this.signal })
  }
}
