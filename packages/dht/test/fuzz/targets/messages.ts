import { EXCHANGE, type Message } from '../../../src/exchange/messages.ts'
import { WATCH } from '../../../src/watch/watch-messages.ts'
import { ByteWriter } from '../../../src/wire/bytes.ts'
import { FrameReader, writeFrame } from '../../../src/wire/frames.ts'
import { MAX_DIALLED_ADDRESSES } from '../../../src/wire/limits.ts'
import { PeerDecoder } from '../../../src/wire/peer-codec.ts'
import type { MessageCodec } from '../../../src/wire/schema.ts'
import type { Target } from '../fuzzer.ts'
import { areSame, assertThat, isSame, unlessRefused } from './claims.ts'
import { bytesOf, examples, pieces } from './material.ts'

const MESSAGES = examples('dht/test/fixtures/messages.json')
const NUMBERS = ['8001', 'ffffffff0f', '8000', '8102', '8108'].map(bytesOf)

const isExchange = (url: string): boolean =>
  url.includes('/dht/src/exchange/') || url.includes('/dht/src/wire/')

/** Reads a message, which must be in its only form; undefined if the bytes are none. */
export function readIn<M>(codec: MessageCodec<M>, input: Uint8Array): M | undefined {
  const message = unlessRefused(() => codec.read(input), 'ProtocolViolationError')

  if (message !== undefined) {
    const writer = new ByteWriter()
    codec.write(writer, message)
    assertThat(isSame(writer.take(), input), 'a message has another form')
  }

  return message
}

/** Bytes as a message of the exchange. */
const message: Target = {
  name: 'message',
  isWatched: isExchange,
  seeds: MESSAGES,
  words: NUMBERS,
  try(input) {
    const read = readIn(EXCHANGE, input)

    if (read !== undefined) {
      readContacts(read)
    }
  }
}

function readContacts(message: Message): void {
  for (const peer of 'peers' in message ? message.peers : []) {
    const contact = new PeerDecoder().of(peer)
    assertThat(
      contact === undefined || contact.multiaddrs.length <= MAX_DIALLED_ADDRESSES,
      'too many addresses'
    )
  }
}

/** Bytes as a message of the watch protocol. */
const watch: Target = {
  name: 'watch',
  isWatched: (url) => isExchange(url) || url.includes('/dht/src/watch/'),
  seeds: examples('dht/test/fixtures/watch-messages.json'),
  words: NUMBERS,
  try(input) {
    readIn(WATCH, input)
  }
}

/** Frames. The first byte determines the cuts between the others, which make no difference. */
const frames: Target = {
  name: 'frames',
  isWatched: isExchange,
  seeds: MESSAGES.map((bytes) =>
    Uint8Array.of(3, 0, 0, 0, bytes.length, ...bytes, 0, 0, 0, bytes.length, ...bytes)
  ),
  words: ['00000001', '00400000', '00400001', 'ffffffff', '00000000'].map(bytesOf),
  try(input) {
    const [step = 0] = input
    const bytes = input.subarray(1)
    const whole = framesOf([bytes])
    const cut = framesOf(pieces(bytes, 1 + step))
    assertThat(areSame(whole, cut), 'what comes in pieces is read otherwise')
    assertThat(
      whole.reduce((sum, { length }) => sum + 4 + length, 0) <= bytes.length,
      'more has come out than went in'
    )

    for (const frame of whole) {
      const read = readIn(EXCHANGE, frame)
      assertThat(read === undefined || isSame(framed(read).subarray(4), frame), 'another frame')
    }
  }
}

function framed(message: Message): Uint8Array {
  const writer = new ByteWriter()
  writeFrame(writer, message, EXCHANGE)
  return writer.take()
}

function framesOf(chunks: readonly Uint8Array[]): Uint8Array[] {
  const reader = new FrameReader()
  const frames: Uint8Array[] = []
  unlessRefused(
    () => {
      for (const chunk of chunks) {
        reader.push(chunk)

        for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
          frames.push(frame.slice())
        }
      }
    },
    'ProtocolViolationError',
    'MessageTooLargeError'
  )
  return frames
}

/** Readers that the exchange and the watch protocol share. */
export const messageTargets: readonly Target[] = [message, watch, frames]
