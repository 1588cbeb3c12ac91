import type { DHTTime } from '@waggle/record'
import { float, type MessageCodec, messages } from '../wire/schema.ts'

/** The protocol's id in the default network; see {@link protocolIdIn}. */
export const CLOCK_PROTOCOL = '/waggle/clock/1.0.0'

/** Bytes of the largest message. */
export const MAX_CLOCK_MESSAGE_BYTES = 9

/**
 * The farthest timestamp that JavaScript's dates support, in seconds from 1970, either way. Beyond it differences
 * might be infinite.
 */
const MAX_TIME = 8.64e12

export type ClockMessage =
  | { readonly name: 'ask' }
  | { readonly name: 'tell'; readonly time: DHTTime }

/** The messages of the clock protocol; docs/network.md describes them. */
export const CLOCK: MessageCodec<ClockMessage> = messages<ClockMessage>({
  ask: [0, {}],
  tell: [1, { time: float(MAX_TIME, 'the time of a peer') }]
})
