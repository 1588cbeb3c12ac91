import { nameOf, type RecordStore } from '../store/record-store.ts'
import type { ServedProtocol } from '../wire/protocol-server.ts'
import { ProtocolViolationError } from '../wire/protocol-violation-error.ts'
import {
  COMPARE,
  COMPARE_PROTOCOL,
  type ComparedReply,
  type CompareMessage,
  MAX_COMPARE_MESSAGE_BYTES
} from './compare-messages.ts'
import { fingerprintOf } from './fingerprint.ts'

/** Serves the compare protocol: sends the fingerprints of this node's records. */
export function compareServer(store: RecordStore): ServedProtocol<CompareMessage> {
  return {
    id: COMPARE_PROTOCOL,
    codec: COMPARE,
    maxMessageBytes: MAX_COMPARE_MESSAGE_BYTES,
    serve: () => ({
      respond(message) {
        if (message.name !== 'compare') {
          throw new ProtocolViolationError(`"${message.name}" is not a request`)
        }

        return { keys: message.keys.length, reply: fingerprintsOf(message.keys, store) }
      }
    })
  }
}

/** Computes fingerprints key by key. A repeated key uses the previous result. */
function* fingerprintsOf(
  keys: readonly Uint8Array[],
  store: RecordStore
): Generator<undefined, ComparedReply> {
  const fingerprints: Uint8Array[] = []
  const known = new Map<string, Uint8Array>()

  for (const key of keys) {
    const name = nameOf(key)
    const fingerprint = known.get(name) ?? fingerprintOf(store.get(key))
    known.set(name, fingerprint)
    fingerprints.push(fingerprint)
    yield
  }

  return { name: 'compared', fingerprints }
}
