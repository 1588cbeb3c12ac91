import { equals } from 'uint8arrays/equals'
import type { Target } from '../../../dht/test/fuzz/fuzzer.ts'
import { assertThat, unlessRefused } from '../../../dht/test/fuzz/targets/claims.ts'
import { bytesOf, textOf } from '../../src/bytes/latin1.ts'
import { pythonName } from '../../src/keys/python-name.ts'
import { decodeValue } from '../../src/msgpack/msgpack-reader.ts'
import { encodeValue } from '../../src/msgpack/msgpack-writer.ts'
import { NamedContacts } from '../../src/peers/node-contact.ts'
import { decodeDictionary, encodeDictionary } from '../../src/record/dictionary.ts'
import { OfferReply } from '../../src/rpc/lazy-negotiation.ts'
import { opensshKey, parseOpensshKey } from '../../src/validators/openssh.ts'
import { jwkOfPkcs1 } from '../../src/validators/pkcs1.ts'
import { isProtected, withoutSignature } from '../../src/validators/rsa.ts'
import { decodeCall, decodeReply, FrameCollector } from '../../src/wire/envelope.ts'
import {
  decodeFindRequest,
  decodeFindResponse,
  decodePingRequest,
  decodePingResponse,
  decodeStoreRequest,
  decodeStoreResponse,
  encodeFindRequest,
  encodeFindResponse,
  encodePingRequest,
  encodePingResponse,
  encodeStoreRequest,
  encodeStoreResponse
} from '../../src/wire/messages.ts'
import { bytesOfHex } from '../support/hex.ts'
import { vectors } from '../support/vectors.ts'

const REFUSED = 'MalformedBytesError'
const isWatched = (url: string): boolean => url.includes('/hivemind/src/')
const heads = ['c0', 'c1', 'c4', 'c7', 'c740', 'd9', 'dc', 'dd', 'de', 'd440', 'd640', 'cb', 'cf']

/** MessagePack of a value: what is read is written and read as itself. */
const value: Target = {
  name: 'hivemind-value',
  isWatched,
  seeds: vectors.offline.msgpack.map(({ hex }) => bytesOfHex(hex)),
  words: heads.map(bytesOfHex),
  try(input) {
    const read = unlessRefused(() => decodeValue(input, { exactFloats: true }), REFUSED)

    if (read !== undefined) {
      const written = encodeValue(read)
      const again = encodeValue(decodeValue(written, { exactFloats: true }))
      assertThat(equals(again, written), 'a value is not read back as itself')
      decodeValue(input)
      unlessRefused(() => pythonName(input), REFUSED)
    }
  }
}

/** A dictionary with its subkeys. */
const dictionary: Target = {
  name: 'hivemind-dictionary',
  isWatched,
  seeds: vectors.offline.dictionary.map(({ hex }) => bytesOfHex(hex)),
  words: ['c750', '93', '90', 'cb7ff0000000000000', 'c401', ...heads].map(bytesOfHex),
  try(input) {
    const read = unlessRefused(() => decodeDictionary(input), REFUSED)

    if (read !== undefined) {
      const subkeys = new Map(read)
      const again = new Map(decodeDictionary(encodeDictionary(subkeys)))
      const isSame = [...again.keys()].join() === [...subkeys.keys()].join()
      assertThat(isSame, 'a dictionary has other subkeys when it is read again')
    }
  }
}

/** The messages of the three procedures, as reader and writer of one after the other. */
const CODECS: readonly ((bytes: Uint8Array) => Uint8Array)[] = [
  (bytes) => encodePingRequest(decodePingRequest(bytes)),
  (bytes) => encodePingResponse(decodePingResponse(bytes)),
  (bytes) => encodeStoreRequest(decodeStoreRequest(bytes)),
  (bytes) => encodeStoreResponse(decodeStoreResponse(bytes)),
  (bytes) => encodeFindRequest(decodeFindRequest(bytes)),
  (bytes) => encodeFindResponse(decodeFindResponse(bytes))
]

const message: Target = {
  name: 'hivemind-message',
  isWatched,
  seeds: Object.entries(vectors.protobuf).flatMap(([name, hex]) =>
    /Request|Response/.test(name) ? [bytesOfHex(hex)] : []
  ),
  words: ['1200', '1214', '1a00', '2201', '2a08', '3200', '3a00', '0802', '19', '21'].map(
    bytesOfHex
  ),
  try(input) {
    for (const codec of CODECS) {
      const written = unlessRefused(() => codec(input), REFUSED)

      if (written !== undefined) {
        assertThat(equals(codec(written), written), 'a message is not read back as itself')
      }
    }
  }
}

/** A frame in two pieces, and the call or reply in it. */
const frame: Target = {
  name: 'hivemind-frame',
  isWatched,
  seeds: vectors.captures.flatMap(({ requestFrame, replyFrame }) =>
    [requestFrame, replyFrame].map(bytesOfHex)
  ),
  words: ['0a10', '1a', '22', '0a00', '1200', '8080', '80808002'].map(bytesOfHex),
  try(input) {
    const cut = input.length >> 1
    const collector = new FrameCollector()
    const pieces = [input.subarray(0, cut), input.subarray(cut)]
    const read = unlessRefused(() => pieces.map((piece) => collector.push(piece)).at(-1), REFUSED)

    if (read !== undefined) {
      unlessRefused(() => decodeCall(read), REFUSED)
      unlessRefused(() => decodeReply(read), REFUSED)
    }
  }
}

/** Keys of RSA: a public one in OpenSSH form, or a private one in PKCS#1. */
const rsaKey: Target = {
  name: 'hivemind-rsa-key',
  isWatched,
  seeds: [
    bytesOf(/owner:(.*)\]/.exec(vectors.rsa.python.owner_tag)?.[1] ?? ''),
    bytesOfHex(vectors.rsa.python.private_key_pkcs1_der)
  ],
  words: [
    bytesOf('ssh-rsa '),
    bytesOf('AAAA'),
    bytesOf('='),
    bytesOfHex('3082'),
    bytesOfHex('0201')
  ],
  try(input) {
    const numbers = unlessRefused(() => parseOpensshKey(textOf(input)), REFUSED)

    if (numbers !== undefined) {
      const again = parseOpensshKey(opensshKey(numbers))
      assertThat(again.e === numbers.e && again.n === numbers.n, 'a key is not read back as itself')
    }

    unlessRefused(() => jwkOfPkcs1(input), REFUSED)
  }
}

const OFFER = '\x13/multistream/1.0.0\n\x15DHTProtocol.rpc_ping\n'

/** The nodes that a response names, and the confirmation of an offer. */
const peer: Target = {
  name: 'hivemind-peer',
  isWatched,
  seeds: [bytesOfHex(`0024080112 20${'ab'.repeat(32)}`.replaceAll(' ', '')), bytesOf(OFFER)],
  words: ['0024', '0801', '1220', '12', '20'].map(bytesOfHex).concat(bytesOf('\x03na\n')),
  try(input) {
    const [nodeId, peerId] = [input.slice(0, 20), input.slice(20)]

    for (const bytes of [input, peerId]) {
      const contact = new NamedContacts().of({ nodeId, peerId: bytes })
      const again = contact?.id.toMultihash().bytes
      assertThat(again === undefined || equals(again, bytes), 'a peer id is not read as itself')
    }

    const reply = new OfferReply(bytesOf(OFFER))
    const cut = input.length >> 1
    const left = unlessRefused(
      () => [input.subarray(0, cut), input.subarray(cut)].map((part) => reply.strip(part)),
      REFUSED
    )
    const isWhole = left === undefined || textOf(input) === OFFER.slice(0, input.length)
    const isStripped = textOf(input) === OFFER + (left ?? []).map(textOf).join('')
    assertThat(isWhole || isStripped, 'bytes are lost after the confirmation of an offer')
  }
}

/** A subkey that may name an owner, and a value that may be signed. */
const signature: Target = {
  name: 'hivemind-signature',
  isWatched,
  seeds: [vectors.rsa.python.owner_tag, '[owner:x]', 'x[signature:eA==]'].map(bytesOf),
  words: ['[owner:', ']', '[signature:', '=='].map(bytesOf),
  try(input) {
    isProtected(textOf(input))
    const value = withoutSignature(input)
    assertThat(value.length <= input.length, 'a value grows when its signature is taken off')
    assertThat(
      !/\[signature:[^\n]+?\]/.test(textOf(input)) || value.length < input.length,
      'a signature stays'
    )
  }
}

/** All that Hivemind's peers send. */
export const hivemindTargets: readonly Target[] = [
  ...[value, dictionary, message, frame, peer],
  ...[rsaKey, signature]
]
