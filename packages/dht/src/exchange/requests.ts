import type { PeerInfo } from '@libp2p/interface'
import { BusyError } from '../errors.ts'
import type { EncodedPeer } from '../wire/fields.ts'
import { namedIn } from '../wire/peer-codec.ts'
import { ProtocolViolationError } from '../wire/protocol-violation-error.ts'
import type { RequestProtocol } from '../wire/request-protocol.ts'
import type { PendingRequest } from '../wire/request-queue.ts'
import {
  type EncodedWrite,
  EXCHANGE,
  type FindKey,
  type FindRequest,
  type FoundAnswer,
  type FoundReply,
  type GoodbyeReason,
  type Message,
  type StoredAnswer,
  type StoredReply,
  type StoreRequest,
  type WireOutcome
} from './messages.ts'

/** Asks for the record under one key. */
export interface FindOne extends FindKey {
  readonly name: 'find'
  readonly closerCount: number
  readonly isCloserAlways: boolean
  readonly maxAge: number
}

/** Asks a peer to hold one write. */
export interface StoreOne extends EncodedWrite {
  readonly name: 'store'
  readonly closerCount: number
  readonly isCacheOnly: boolean
}

export type ExchangeRequest = FindOne | StoreOne

/** `standing` answers a FIND, `outcome` a STORE. */
export interface ExchangeResponse {
  readonly standing?: FoundAnswer['standing']
  readonly record?: Uint8Array
  readonly ageMs?: number
  readonly outcome?: WireOutcome

  /** A record of what beats the write. */
  readonly winner?: Uint8Array | undefined

  /** Undefined: those of which the request has the digest. */
  readonly closer: readonly PeerInfo[] | undefined
}

type Pending = PendingRequest<ExchangeRequest, ExchangeResponse>
export type ExchangeRequests = RequestProtocol<ExchangeRequest, ExchangeResponse, Message>

/**
 * Builds the client side of the exchange with one peer. `peerOf` decodes a peer that a response names, and
 * returns undefined for one that can't be asked. `onGoodbye` is called when the peer announces to disconnect.
 */
export function exchangeRequests(
  peerOf: (peer: EncodedPeer) => PeerInfo | undefined,
  onGoodbye: (reason: GoodbyeReason) => void = () => {}
): ExchangeRequests {
  return {
    codec: EXCHANGE,
    sizeOf,
    isAlike,
    messageOf: (pending, id) =>
      requestOf(
        id,
        pending.map(({ request }) => request)
      ),
    idOf: ({ id }) => id,
    onNotice(message) {
      if (message.name !== 'goodbye') {
        return false
      }

      onGoodbye(message.reason)
      return true
    },
    responsesOf(message, { requests }) {
      if (message.name === 'busy') {
        return BUSY
      }

      if (!isReply(message) || !isReplyTo(message, requests)) {
        throw new ProtocolViolationError(
          `the peer sent a message "${message.name}" that does not reply to the request`
        )
      }

      const peers = message.peers.map(peerOf)
      return message.answers.map((answer: FoundAnswer | StoredAnswer, i) => ({
        ...answer,
        closer:
          answer.closer === 'known'
            ? assertKnown(requests[i]?.request)
            : namedIn(peers, answer.closer)
      }))
    }
  }
}

/** Made once: there may be many of them, and just when there is much to do. */
const BUSY = new BusyError('the peer has too much to do')

function isReply(message: Message): message is FoundReply | StoredReply {
  return message.name === 'found' || message.name === 'stored'
}

/** Only what a request says that it knows need not be named. */
function assertKnown(request: ExchangeRequest | undefined): undefined {
  if (request?.name !== 'store' || request.known === 0) {
    throw new ProtocolViolationError('the peer left out closer peers that were not known')
  }
}

/** A FIND may be answered in part, so that no reply grows too large; a STORE is answered whole. */
function isReplyTo(
  { name, answers }: FoundReply | StoredReply,
  requests: readonly Pending[]
): boolean {
  const [first] = requests
  return name === 'found'
    ? first?.request.name === 'find' && answers.length > 0 && answers.length <= requests.length
    : first?.request.name === 'store' && answers.length === requests.length
}

function sizeOf(request: ExchangeRequest): number {
  return (
    request.key.length + (request.name === 'store' ? request.record.length : sizeOfSubkeys(request))
  )
}

function sizeOfSubkeys({ subkeys }: FindOne): number {
  return subkeys.length === 0 ? 0 : subkeys.reduce((sum, { length }) => sum + length, 0)
}

function isAlike(a: ExchangeRequest, b: ExchangeRequest): boolean {
  if (a.closerCount !== b.closerCount) {
    return false
  }

  return a.name === 'find'
    ? b.name === 'find' && a.isCloserAlways === b.isCloserAlways && a.maxAge === b.maxAge
    : b.name === 'store' && a.isCacheOnly === b.isCacheOnly
}

/** The message that carries requests which are alike. */
function requestOf(id: number, requests: readonly ExchangeRequest[]): FindRequest | StoreRequest {
  const [first] = requests

  if (first?.name === 'find') {
    const { closerCount, isCloserAlways, maxAge } = first
    return { name: 'find', id, closerCount, isCloserAlways, maxAge, keys: requests as FindOne[] }
  }

  const writes = requests as StoreOne[]
  const { closerCount = 0, isCacheOnly = false } = writes[0] ?? {}
  return { name: 'store', id, closerCount, isCacheOnly, writes }
}
