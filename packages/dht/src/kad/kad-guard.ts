import type { ProtocolGuard } from '../door/guarded-components.ts'
import { messagesUpTo } from '../door/units.ts'
import { MAX_MESSAGE_BYTES } from '../wire/limits.ts'
import {
  ADD_PROVIDER,
  GET_PROVIDERS,
  GET_VALUE,
  type KadMessage,
  keyOfRecord,
  PUT_VALUE,
  readKadMessage,
  writeKadMessage
} from './kad-messages.ts'
import type { StreamProgress } from './stream-progress.ts'

/** The services of a node's kad-dht for others, besides finding peers. */
export interface KadServices {
  /** Namespaces of the keys whose values may be read and written, without slashes. */
  readonly namespaces: ReadonlySet<string>

  /** Whether it stores provider records (libp2p's content routing). */
  readonly areProvidersKept: boolean
}

/** Bytes of the longest sensible namespace. */
const MAX_NAMESPACE_BYTES = 64

const SLASH = 0x2f

/** Guards inbound streams of kad-dht: refuses requests that are not served here. */
export function requestGuard(services: KadServices): ProtocolGuard {
  const cut = messagesUpTo(MAX_MESSAGE_BYTES)
  const receive = (message: Uint8Array): Uint8Array => {
    const request = readKadMessage(message)
    assertServed(request, services)
    // Removes the peers from a request: they are not used, and libp2p would decode them.
    const providers = request.type === ADD_PROVIDER ? request.providers : []
    return writeKadMessage({ ...request, closer: [], providers })
  }
  return () => ({ cut, receive })
}

/** Guards outbound streams of kad-dht: limits the peers in responses. */
export function responseGuard(progress?: Pick<StreamProgress, 'follow'>): ProtocolGuard {
  const cut = messagesUpTo(MAX_MESSAGE_BYTES)
  const receive = (message: Uint8Array): Uint8Array => writeKadMessage(readKadMessage(message))
  return ({ remotePeer }, stream) => {
    progress?.follow(stream, remotePeer)
    return { cut, receive }
  }
}

/** Checks that a request is served. Others are not violations: honest peers with other options may send them. */
function assertServed(
  { type, key, record }: KadMessage,
  { namespaces, areProvidersKept }: KadServices
): void {
  if ((type === ADD_PROVIDER || type === GET_PROVIDERS) && !areProvidersKept) {
    throw new Error('this node stores no provider records')
  }

  if (type === PUT_VALUE || type === GET_VALUE) {
    assertNamespace(key, namespaces)
  }

  if (type === PUT_VALUE && record !== undefined) {
    assertNamespace(keyOfRecord(record), namespaces)
  }
}

function assertNamespace(key: Uint8Array | undefined, namespaces: ReadonlySet<string>): void {
  if (!namespaces.has(namespaceOf(key))) {
    throw new Error('this node stores no records of this namespace')
  }
}

/** Returns the namespace of a key: the text between its first two slashes. */
function namespaceOf(key: Uint8Array = new Uint8Array()): string {
  const end = key.subarray(0, MAX_NAMESPACE_BYTES).indexOf(SLASH, 1)
  return key[0] === SLASH && end > 0 ? new TextDecoder().decode(key.subarray(1, end)) : ''
}
