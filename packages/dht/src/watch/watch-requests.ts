import type { PeerInfo } from '@libp2p/interface'
import { placeName } from '../store/place-name.ts'
import type { EncodedPeer } from '../wire/fields.ts'
import { namedIn } from '../wire/peer-codec.ts'
import { ProtocolViolationError } from '../wire/protocol-violation-error.ts'
import type { RequestProtocol } from '../wire/request-protocol.ts'
import type { PendingRequest } from '../wire/request-queue.ts'
import { Subscriptions } from './subscriptions.ts'
import {
  WATCH,
  type WatchedAnswer,
  type WatchedDigest,
  type WatchedPlace,
  type WatchMessage,
  type WatchRole
} from './watch-messages.ts'

/** Subscribes to one key, or to a subkey, or unsubscribes from it. */
export interface SubscriptionRequest extends WatchedDigest {
  readonly name: 'watch' | 'unwatch'
  readonly closerCount: number

  readonly role: WatchRole
}

export interface SubscriptionResponse extends Omit<WatchedAnswer, 'closer'> {
  readonly closer: readonly PeerInfo[]
}

export interface WatchRequestsInit {
  /** Decodes a peer that a response names; undefined if it can't be asked. */
  readonly peerOf: (peer: EncodedPeer) => PeerInfo | undefined

  /** Called with each change of a watched place. */
  readonly onChange: (place: WatchedPlace, record: Uint8Array) => void
}

type Pending = PendingRequest<SubscriptionRequest, SubscriptionResponse>
export type WatchRequests = RequestProtocol<SubscriptionRequest, SubscriptionResponse, WatchMessage>

/**
 * The watch protocol as it is spoken on one stream. A change to a key that was never asked for
 * violates it. The stream may end when nothing is watched any more.
 */
export function watchRequests({ peerOf, onChange }: WatchRequestsInit): WatchRequests {
  const subscriptions = new Subscriptions()

  return {
    codec: WATCH,
    sizeOf: ({ key, subkey = '' }) => key.length + subkey.length,
    isAlike: (a, b) => a.name === b.name && a.closerCount === b.closerCount && a.role === b.role,
    messageOf(pending) {
      for (const { request } of pending) {
        subscriptions.request(nameOf(request), request.name === 'watch')
      }

      return requestOf(pending)
    },
    onNotice(message) {
      if (message.name !== 'changed') {
        return false
      }

      const meaning = subscriptions.notify(nameOf(message))

      if (meaning === 'never asked for') {
        throw new ProtocolViolationError(
          'the peer notifies of a key that it was not asked to watch'
        )
      }

      if (meaning === 'wanted') {
        onChange(message, message.record)
      }

      return true
    },
    responsesOf(message, { requests }) {
      if (message.name !== 'watched' || !isReplyTo(message.answers, requests)) {
        throw new ProtocolViolationError(
          `the peer sent a message "${message.name}" that does not reply to the request`
        )
      }

      const peers = message.peers.map(peerOf)
      return message.answers.map((answer, i) => {
        subscriptions.reply(nameOf((requests[i] as Pending).request), answer.state)
        return { ...answer, closer: namedIn(peers, answer.closer) }
      })
    },
    isIdle: () => subscriptions.size === 0
  }
}

function requestOf(pending: readonly Pending[]): WatchMessage {
  const requests = pending.map(({ request }) => request)
  const [first] = requests

  if (first?.name === 'watch') {
    const { closerCount, role } = first
    return { name: 'watch', closerCount, role, keys: requests }
  }

  return { name: 'unwatch', keys: requests }
}

function nameOf({ key, subkey }: WatchedPlace): string {
  return placeName(key, subkey)
}

/** A WATCH may be answered in part, so that no reply grows too large; an UNWATCH is answered whole. */
function isReplyTo(answers: readonly WatchedAnswer[], pending: readonly Pending[]): boolean {
  const isEnding = pending[0]?.request.name === 'unwatch'
  const isEnough = isEnding ? answers.length === pending.length : answers.length > 0
  return (
    isEnough &&
    answers.length <= pending.length &&
    answers.every(({ state }) => (state === 'ended') === isEnding)
  )
}
