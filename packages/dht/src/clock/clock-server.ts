import type { DHTTime } from '@waggle/record'
import type { Scheduler } from '../admission/scheduler.ts'
import type { ServedProtocol } from '../wire/protocol-server.ts'
import { ProtocolViolationError } from '../wire/protocol-violation-error.ts'
import { replyInTurn } from '../wire/reply-in-turn.ts'
import {
  CLOCK,
  CLOCK_PROTOCOL,
  type ClockMessage,
  MAX_CLOCK_MESSAGE_BYTES
} from './clock-messages.ts'

type DHTClock = () => DHTTime

/** Tells other peers the time. */
export function clockServer(clock: DHTClock, scheduler: Scheduler): ServedProtocol<ClockMessage> {
  return {
    id: CLOCK_PROTOCOL,
    codec: CLOCK,
    maxMessageBytes: MAX_CLOCK_MESSAGE_BYTES,
    isPublic: true,
    serve: (stream, peer) => ({
      onMessage({ name }) {
        if (name !== 'ask') {
          throw new ProtocolViolationError(`"${name}" is no request`)
        }

        replyInTurn({ stream, peer, scheduler, keys: 1, reply: timeOf(clock) })
      }
    })
  }
}

// biome-ignore lint/correctness/useYield: one step is all there is to do
function* timeOf(clock: DHTClock): Generator<undefined, ClockMessage> {
  return { name: 'tell', time: clock() }
}
