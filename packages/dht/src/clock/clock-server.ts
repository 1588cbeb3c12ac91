import type { DHTTime } from '@waggle/record'
import type { ServedProtocol } from '../wire/protocol-server.ts'
import { ProtocolViolationError } from '../wire/protocol-violation-error.ts'
import {
  CLOCK,
  CLOCK_PROTOCOL,
  type ClockMessage,
  MAX_CLOCK_MESSAGE_BYTES
} from './clock-messages.ts'

/** Serves the clock protocol: sends this node's time. */
export function clockServer(clock: () => DHTTime): ServedProtocol<ClockMessage> {
  return {
    id: CLOCK_PROTOCOL,
    codec: CLOCK,
    maxMessageBytes: MAX_CLOCK_MESSAGE_BYTES,
    isPublic: true,
    serve: () => ({
      respond({ name }) {
        if (name !== 'ask') {
          throw new ProtocolViolationError(`"${name}" is not a request`)
        }

        return { keys: 1, reply: timeOf(clock) }
      }
    })
  }
}

// biome-ignore lint/correctness/useYield: one step is all there is to do
function* timeOf(clock: () => DHTTime): Generator<undefined, ClockMessage> {
  return { name: 'tell', time: clock() }
}
