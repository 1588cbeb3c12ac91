import type { Stream } from '@libp2p/interface'
import { ProtocolViolationError } from '../../src/wire/protocol-violation-error.ts'
import type { RequestProtocol } from '../../src/wire/request-protocol.ts'
import type { MessageCodec } from '../../src/wire/schema.ts'
import { byteString, list, messages } from '../../src/wire/schema.ts'
import { Talker } from './exchange-talker.ts'

export type EchoMessage =
  | { readonly name: 'say'; readonly words: readonly Uint8Array[] }
  | { readonly name: 'echo'; readonly words: readonly Uint8Array[] }

const WORDS = list(byteString(1_000_000, 'a word'), 256)

/** The smallest possible protocol: the other side returns each word, in order. */
export const ECHO: MessageCodec<EchoMessage> = messages<EchoMessage>({
  say: [0, { words: WORDS }],
  echo: [1, { words: WORDS }]
})

/** Makes the asking side. Its stream may end between requests, if that is wanted. */
export function echoRequests(
  isEndingWhenIdle = false
): RequestProtocol<Uint8Array, string, EchoMessage> {
  return {
    codec: ECHO,
    sizeOf: ({ length }) => length,
    isAlike: () => true,
    messageOf: (pending) => ({ name: 'say', words: pending.map(({ request }) => request) }),
    responsesOf(message, { requests }) {
      if (message.name !== 'echo' || message.words.length > requests.length) {
        throw new ProtocolViolationError('this is no echo')
      }

      return message.words.map((word) => new TextDecoder().decode(word))
    },
    ...(isEndingWhenIdle && { isIdle: () => true })
  }
}

export function word(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** Makes the other end of a stream, which a test controls. */
export function echoTalker(stream: Stream): Talker<EchoMessage> {
  return new Talker<EchoMessage>(stream, ECHO)
}
