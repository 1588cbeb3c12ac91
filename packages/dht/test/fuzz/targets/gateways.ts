import { GATEWAY } from '../../../src/gateway/gateway-messages.ts'
import {
  HttpHeadReader,
  MAX_HEAD_BYTES,
  upgradeAnswer
} from '../../../src/transport/http-upgrade.ts'
import { WebSocketFrameReader } from '../../../src/transport/websocket-frames.ts'
import { MAX_KEYS_PER_MESSAGE, MAX_PEERS_PER_MESSAGE } from '../../../src/wire/limits.ts'
import type { Target } from '../fuzzer.ts'
import { assertThat, isSame, unlessRefused } from './claims.ts'
import { bytesOf, examples, pieces, words } from './material.ts'
import { readIn } from './messages.ts'

/** Bytes as a message between a gateway and its client. */
const gateway: Target = {
  name: 'gateway',
  isWatched: (url) => url.includes('/dht/src/gateway/') || url.includes('/dht/src/wire/'),
  seeds: examples('dht/test/fixtures/gateway-messages.json'),
  words: ['8001', '8002', '8102', '8008', 'ffffffff0f'].map(bytesOf),
  try(input) {
    const message = readIn(GATEWAY, input)

    switch (message?.name) {
      case 'read':
        return assertThat(message.keys.length <= MAX_KEYS_PER_MESSAGE, 'too many keys')
      case 'write':
        return assertThat(message.writes.length <= MAX_KEYS_PER_MESSAGE, 'too many writes')
      case 'outcomes':
        return assertThat(
          message.answers.every(({ replicas }) => replicas.length <= MAX_PEERS_PER_MESSAGE),
          'too many replicas'
        )
      default:
        return undefined
    }
  }
}

const REQUEST = [
  'GET / HTTP/1.1',
  'Host: localhost:1337',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
  'Origin: http://localhost',
  '\r\n'
].join('\r\n')

/**
 * A request for a WebSocket, or anything else. The first byte determines the cuts between the others.
 */
const upgrade: Target = {
  name: 'upgrade',
  isWatched: (url) => url.includes('/dht/src/transport/http-upgrade'),
  seeds: words(
    `~${REQUEST}`,
    `~${REQUEST.replace('localhost\r', 'elsewhere\r')}`,
    '~GET / HTTP/1.1\r\n\r\n'
  ),
  words: words('\r\n', ': ', 'origin', 'forwarded', 'upgrade', 'websocket', ', ', '[::1]', '%00'),
  try(input) {
    const [step = 0] = input
    const reader = new HttpHeadReader()
    const head = unlessRefused(
      () =>
        pieces(input.subarray(1), 1 + step)
          .map((bytes) => reader.push(bytes))
          .find(Boolean),
      'Error'
    )

    if (head !== undefined) {
      const [own, other] = [true, false].map((isSameMachine) =>
        upgradeAnswer(head, { isSameMachine })
      )
      assertThat(head.text.length <= MAX_HEAD_BYTES, 'a head is too long')
      assertThat(/^HTTP\/1\.1 \d{3} /.test(own?.text ?? ''), 'there is no answer')
      assertThat(
        other?.isAccepted === true || own?.isAccepted === false,
        'only this machine gets in'
      )
    }
  }
}

/**
 * Frames of a WebSocket. The first byte determines the cuts, and whether they are masked. The cuts make no
 * difference to the data.
 */
const websocket: Target = {
  name: 'websocket',
  isWatched: (url) => url.includes('/dht/src/transport/websocket-frames'),
  seeds: [
    '00820107',
    '01828101020304 06',
    '00028101 8001ff',
    '00890568656c6c6f',
    '008800',
    '0082fe0001'
  ].map(bytesOf),
  words: ['82', '80', '0281', '7e00', '7f0000000000000001', '8900', '8800'].map(bytesOf),
  try(input) {
    const [first = 0] = input
    const bytes = input.subarray(1)
    const isMasked = (first & 1) === 1
    const whole = dataIn([bytes], isMasked)
    const cut = dataIn(pieces(bytes, 1 + (first >> 1)), isMasked)
    assertThat(whole.length <= bytes.length, 'more has come out than went in')
    assertThat(
      isSame(whole, cut.subarray(0, whole.length)),
      'what comes in pieces is read otherwise'
    )
  }
}

/** Reads the data of frames, up to the first violation. */
function dataIn(chunks: readonly Uint8Array[], isMasked: boolean): Uint8Array {
  const data: number[] = []
  const reader = new WebSocketFrameReader(
    { onData: (piece) => data.push(...piece), onPing() {}, onClose() {} },
    { isMasked }
  )
  unlessRefused(() => {
    for (const chunk of chunks) {
      reader.push(chunk)
    }
  }, 'Error')
  return Uint8Array.from(data)
}

/** Readers of gateways' messages and of WebSockets. */
export const gatewayTargets: readonly Target[] = [gateway, upgrade, websocket]
