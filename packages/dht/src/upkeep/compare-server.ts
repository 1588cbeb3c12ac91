import type { PeerId } from '@libp2p/interface'
import type { Scheduler } from '../admission/scheduler.ts'
import { nameOf, type RecordStore } from '../store/record-store.ts'
import type { FramedStream } from '../wire/framed-stream.ts'
import type { ServedProtocol, StreamHandler } from '../wire/protocol-server.ts'
import { ProtocolViolationError } from '../wire/protocol-violation-error.ts'
import { replyInTurn } from '../wire/reply-in-turn.ts'
import {
  COMPARE,
  COMPARE_PROTOCOL,
  type ComparedReply,
  type CompareMessage,
  MAX_COMPARE_MESSAGE_BYTES
} from './compare-messages.ts'
import { fingerprintOf } from './fingerprint.ts'

export interface CompareServerInit {
  readonly store: RecordStore
  readonly scheduler: Scheduler
}

/** Tells other peers the fingerprints of what is held here. */
export function compareServer({
  store,
  scheduler
}: CompareServerInit): ServedProtocol<CompareMessage> {
  return {
    id: COMPARE_PROTOCOL,
    codec: COMPARE,
    maxMessageBytes: MAX_COMPARE_MESSAGE_BYTES,
    serve: (stream: FramedStream<CompareMessage>, peer: PeerId): StreamHandler<CompareMessage> => ({
      onMessage(message) {
        if (message.name !== 'compare') {
          throw new ProtocolViolationError(`"${message.name}" is no request`)
        }

        const { keys } = message
        const reply = fingerprintsOf(keys, store)
        replyInTurn({ stream, peer, scheduler, keys: keys.length, reply })
      }
    })
  }
}

/** Works key by key. One that is asked for again is not looked at again. */
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
