import type { Socket } from 'node:net'
import type { Stream } from '@libp2p/interface'
import { DEFAULT_KAD_PROTOCOL } from '../../src/constants.ts'
import { delimited } from '../../src/door/units.ts'
import { FIND_NODE, GET_PROVIDERS } from '../../src/kad/kad-messages.ts'
import { frameOf, OPCODE } from '../../src/transport/websocket-frames.ts'
import type { Attack, Attacker } from './attacker.ts'
import { VOCABULARIES, type Vocabulary } from './floods.ts'

const PING_PROTOCOL = '/ipfs/ping/1.0.0'
const IDENTIFY_PROTOCOL = '/ipfs/id/1.0.0'
const FEW_STREAMS = 8
const MANY_STREAMS = 256
const PIECE_BYTES: number = 64 * 1024

/** Bytes of the cluster level that hides closer peers of two bytes each in kad-dht's messages. */
const HIDDEN_BYTES = 2 ** 20
const HIDDEN_PEERS: Uint8Array = delimited(
  Buffer.concat([
    Uint8Array.of(8, FIND_NODE, 82, 0x80, 0x80, 0x40),
    new Uint8Array(HIDDEN_BYTES).map((_, i) => (i % 2 === 0 ? 66 : 0))
  ])
)

/** Requests for providers, which a node without `keepProviders` refuses. */
const PROVIDERS_REQUESTS: Buffer = Buffer.concat(
  new Array(64).fill(
    delimited(Buffer.concat([Uint8Array.of(8, GET_PROVIDERS, 18, 100), Buffer.alloc(100)]))
  )
)

/** The length of a message of 4 MiB, all of which is to come. */
const HALF_MESSAGE: Uint8Array = Uint8Array.of(0x80, 0x80, 0x80, 0x02)

const OFFERS: Buffer = Buffer.concat([
  Buffer.from('\x13/multistream/1.0.0\n'),
  ...new Array(30_000).fill(Uint8Array.of(1, 10))
])

const HALF_REQUEST = 'GET / HTTP/1.1\r\nX-Slow: '
const HUGE_HEAD: Buffer = Buffer.from(`GET / HTTP/1.1\r\nX-Long: ${'x'.repeat(PIECE_BYTES)}`)

const WHOLE_REQUEST = [
  'GET / HTTP/1.1',
  ...['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13'],
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  '\r\n'
].join('\r\n')

const PINGS: Buffer = Buffer.concat(
  new Array(10_000).fill(frameOf(new Uint8Array(0), { opcode: OPCODE.ping, isMasked: true }))
)

const SINGLE_BYTES: Buffer = Buffer.concat(
  new Array(10_000).fill(frameOf(Uint8Array.of(0x7f), { opcode: OPCODE.binary, isMasked: true }))
)

/** Attacks by libp2p's own protocols, and by those below them. */
export const libp2pAttacks = {
  'kad requests': {
    what: "kad-dht's requests, as small as they come, without a pause",
    isOffence: false,
    run: (attacker) => flood(attacker, DEFAULT_KAD_PROTOCOL, FEW_STREAMS)
  },

  'kad half messages': {
    what: "halves of kad-dht's largest messages, on as many streams as there may be",
    isOffence: false,
    run: (attacker) => flood(attacker, DEFAULT_KAD_PROTOCOL, MANY_STREAMS)
  },

  pings: {
    what: 'pings without a pause',
    isOffence: false,
    run: (attacker) => flood(attacker, PING_PROTOCOL, FEW_STREAMS)
  },

  'who are you': {
    what: 'questions who the peer is, without a pause',
    isOffence: false,
    run: (attacker) => flood(attacker, IDENTIFY_PROTOCOL, FEW_STREAMS)
  },

  'kad hidden fields': {
    what: "kad-dht's requests, in which peers are hidden where a number should be",
    isOffence: true,
    run: (attacker) =>
      onStream(attacker, DEFAULT_KAD_PROTOCOL, async (stream) => {
        stream.send(HIDDEN_PEERS)

        while (!attacker.isDone && stream.writeStatus === 'writable') {
          await attacker.pause(5)
        }
      })
  },

  'refused requests': {
    what: "kad-dht's requests for what is not served, which end their streams, and go on",
    isOffence: false,
    run: (attacker) =>
      onStream(attacker, DEFAULT_KAD_PROTOCOL, async (stream) => {
        while (!attacker.isDone && stream.writeStatus === 'writable') {
          stream.send(PROVIDERS_REQUESTS)
          await attacker.pause(0)
        }
      })
  },

  'single bytes': {
    what: 'messages whose bytes come one by one, thousands at once, on as many streams as there may be',
    isOffence: false,
    run: (attacker) =>
      onStream(attacker, DEFAULT_KAD_PROTOCOL, async (stream) => {
        stream.send(HALF_MESSAGE)

        while (!attacker.isDone && stream.writeStatus === 'writable') {
          for (let i = 0; i < 1000 && !stream.writableNeedsDrain; i++) {
            stream.send(Uint8Array.of(0))
          }

          await attacker.pause(5)
        }
      })
  },

  offers: {
    what: 'offers of protocols without a name, from somebody who has not said who it is',
    isOffence: false,
    run: (attacker) => onSocket(attacker, (socket) => socket.end(OFFERS))
  },

  'half upgrades': {
    what: 'halves of requests to become a WebSocket, on as many sockets as there may be',
    isOffence: false,
    run: (attacker) => onSockets(attacker, (socket) => socket.write(HALF_REQUEST))
  },

  'slow heads': {
    what: 'heads of such requests whose bytes come one by one',
    isOffence: false,
    run: (attacker) =>
      onSockets(attacker, async (socket, isOpen) => {
        socket.setNoDelay(true).write(HALF_REQUEST)

        while (isOpen()) {
          socket.write('x')
          await attacker.pause(1)
        }
      })
  },

  'huge heads': {
    what: 'heads of such requests without an end',
    isOffence: false,
    run: (attacker) => onSocket(attacker, (socket) => socket.end(HUGE_HEAD))
  },

  'WebSocket pings': {
    what: 'pings of a WebSocket without a pause, whose answers nobody reads',
    isOffence: false,
    run: (attacker) =>
      onSockets(attacker, async (socket, isOpen) => {
        socket.pause().write(WHOLE_REQUEST)

        while (isOpen()) {
          const isFull = !socket.write(PINGS)
          await attacker.pause(isFull ? 20 : 1)
        }
      })
  },

  'WebSocket single bytes': {
    what: 'frames of a WebSocket with one byte each, thousands at once',
    isOffence: false,
    run: (attacker) =>
      onSockets(attacker, async (socket, isOpen) => {
        socket.write(WHOLE_REQUEST)

        while (isOpen()) {
          const isFull = !socket.write(SINGLE_BYTES)
          await attacker.pause(isFull ? 20 : 1)
        }
      })
  }
} satisfies Record<string, Attack>

/** Uses sockets one after the other. */
async function onSocket(
  attacker: Attacker,
  use: (socket: Socket, isOpen: () => boolean) => unknown
): Promise<void> {
  while (!attacker.isDone) {
    const socket = attacker.socket().resume()
    const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
    const used = use(socket, () => !socket.destroyed && !attacker.isDone)
    attacker.tried()
    await Promise.race([closed, attacker.pause(1000)])
    socket.destroy()
    await used
  }
}

async function onSockets(
  attacker: Attacker,
  use: (socket: Socket, isOpen: () => boolean) => unknown
): Promise<void> {
  await Promise.all(Array.from({ length: MANY_STREAMS }, () => onSocket(attacker, use)))
}

/** Uses streams of a protocol one after the other, a few at once. */
async function onStream(
  attacker: Attacker,
  protocol: string,
  use: (stream: Stream) => Promise<void>
): Promise<void> {
  const streams = async (): Promise<void> => {
    while (!attacker.isDone) {
      const stream = await attacker.open(protocol)

      if (stream !== undefined) {
        attacker.tried()
        await use(stream).catch(() => {})
        stream.abort(new Error('enough'))
      }
    }
  }

  await Promise.all(Array.from({ length: FEW_STREAMS }, streams))
}

/**
 * Sends the same message by one of libp2p's protocols on some streams, as fast as the victim reads.
 */
async function flood(attacker: Attacker, protocol: string, streams: number): Promise<void> {
  const { small, half } = VOCABULARIES[protocol] as Vocabulary
  const [first = half] = small
  const isHalf = streams === MANY_STREAMS
  const piece = isHalf
    ? half
    : Buffer.concat(new Array(Math.ceil(PIECE_BYTES / first.length)).fill(first))

  await Promise.all(
    Array.from({ length: streams }, async () => {
      while (!attacker.isDone) {
        await sayUntilClosed(attacker, await attacker.open(protocol), { piece, isOnce: isHalf })
      }
    })
  )
}

async function sayUntilClosed(
  attacker: Attacker,
  stream: Stream | undefined,
  { piece, isOnce }: { piece: Uint8Array; isOnce: boolean }
): Promise<void> {
  while (stream?.writeStatus === 'writable' && !attacker.isDone) {
    attacker.tried()

    if (!stream.send(piece)) {
      await stream.onDrain({ signal: attacker.signal }).catch(() => {})
    }

    do {
      await attacker.pause(1)
    } while (isOnce && stream.writeStatus === 'writable' && !attacker.isDone)
  }

  stream?.abort(new Error('enough'))
}
