import type { Limits } from '@waggle/record'

/**
 * What one node lets others take of it, and takes itself. These are its own affair: unlike the
 * limits of records (R12), they need not be the same in the whole network.
 */
export interface NodeLimits {
  /** Records held for others. @default DEFAULT_MAX_STORED_RECORDS */
  readonly maxStoredRecords: number

  /** Bytes of encoded records held for others. @default DEFAULT_MAX_STORED_BYTES */
  readonly maxStoredBytes: number

  /** Of these, what one peer may have stored. @default DEFAULT_MAX_STORED_RECORDS_PER_PEER */
  readonly maxStoredRecordsPerPeer: number

  /** The same in bytes. @default DEFAULT_MAX_STORED_BYTES_PER_PEER */
  readonly maxStoredBytesPerPeer: number

  /** Bytes of encoded records that are remembered. @default DEFAULT_MAX_CACHED_BYTES */
  readonly maxCachedBytes: number

  /** Bytes of one message that a peer sends. @default DEFAULT_MAX_MESSAGE_BYTES */
  readonly maxMessageBytes: number

  /** Bytes of one peer's messages that wait to be worked on. @default DEFAULT_MAX_BUFFERED_BYTES_PER_PEER */
  readonly maxBufferedBytesPerPeer: number

  /** The same of all peers. @default DEFAULT_MAX_BUFFERED_BYTES */
  readonly maxBufferedBytes: number

  /** Requests of one peer that are being answered. @default DEFAULT_MAX_REQUESTS_PER_PEER */
  readonly maxRequestsPerPeer: number

  /** The same of all peers. @default DEFAULT_MAX_REQUESTS */
  readonly maxRequests: number

  /** Keys that one peer may ask for or write to in a second. @default DEFAULT_MAX_KEYS_PER_SECOND_PER_PEER */
  readonly maxKeysPerSecondPerPeer: number

  /** The same of all peers. @default DEFAULT_MAX_KEYS_PER_SECOND */
  readonly maxKeysPerSecond: number

  /** Questions of this node that wait for one peer. @default DEFAULT_MAX_QUESTIONS_PER_PEER */
  readonly maxQuestionsPerPeer: number

  /** Bytes of these questions. @default DEFAULT_MAX_QUESTION_BYTES_PER_PEER */
  readonly maxQuestionBytesPerPeer: number

  /** Peers that one search keeps in mind. @default DEFAULT_MAX_LOOKUP_CANDIDATES */
  readonly maxLookupCandidates: number

  /** Peers that one search asks. @default DEFAULT_MAX_LOOKUP_REQUESTS */
  readonly maxLookupRequests: number

  /** Addresses that others have named and that are dialled in a second. @default DEFAULT_MAX_DIALS_PER_SECOND */
  readonly maxDialsPerSecond: number

  /** Calls of the application that are under way. @default DEFAULT_MAX_CALLS */
  readonly maxCalls: number
}

/** How many records a node holds for others. */
export const DEFAULT_MAX_STORED_RECORDS = 100_000

/** How many bytes of encoded records a node holds for others. */
export const DEFAULT_MAX_STORED_BYTES: number = 256 * 1024 * 1024

/**
 * As many as all: while there is room, anybody may use it. When there is none left, whoever has
 * stored most is the first to lose something.
 */
export const DEFAULT_MAX_STORED_RECORDS_PER_PEER: number = DEFAULT_MAX_STORED_RECORDS

/** See {@link DEFAULT_MAX_STORED_RECORDS_PER_PEER}. */
export const DEFAULT_MAX_STORED_BYTES_PER_PEER: number = DEFAULT_MAX_STORED_BYTES

/** How many bytes of encoded records a node remembers. */
export const DEFAULT_MAX_CACHED_BYTES: number = 64 * 1024 * 1024

/** The largest record that is allowed anywhere, its key, and what goes with them. */
export const DEFAULT_MAX_MESSAGE_BYTES: number = 4 * 1024 * 1024

/** What its streams may bring while none of it is read: more than yamux's largest window. */
export const DEFAULT_MAX_BUFFERED_BYTES_PER_PEER: number = 20 * 1024 * 1024

/** Of all peers together. */
export const DEFAULT_MAX_BUFFERED_BYTES: number = 256 * 1024 * 1024

/** Enough to fill one write to the disk, few enough to hold in memory. */
export const DEFAULT_MAX_REQUESTS_PER_PEER = 256

/** Of all peers together. */
export const DEFAULT_MAX_REQUESTS = 8192

/** Several times what one core can do: it is there to be lowered. */
export const DEFAULT_MAX_KEYS_PER_SECOND_PER_PEER = 50_000

/** Of all peers together. */
export const DEFAULT_MAX_KEYS_PER_SECOND = 200_000

/** Questions that wait to be sent to one peer, or for its answer. */
export const DEFAULT_MAX_QUESTIONS_PER_PEER = 16_384

/** What they may weigh. */
export const DEFAULT_MAX_QUESTION_BYTES_PER_PEER: number = 32 * 1024 * 1024

/** Several times what a search meets in a network of any size. */
export const DEFAULT_MAX_LOOKUP_CANDIDATES = 256

/** A search that finds nothing asks 20 peers, and some more where some fail. */
export const DEFAULT_MAX_LOOKUP_REQUESTS = 64

/** Of addresses that nobody but a third peer vouches for. Twice as many may come at once. */
export const DEFAULT_MAX_DIALS_PER_SECOND = 256

/** More than an application means to have under way, and few enough to hold in memory. */
export const DEFAULT_MAX_CALLS = 100_000

/** The limits of a node when the caller does not say. */
export const DEFAULT_NODE_LIMITS: NodeLimits = {
  maxStoredRecords: DEFAULT_MAX_STORED_RECORDS,
  maxStoredBytes: DEFAULT_MAX_STORED_BYTES,
  maxStoredRecordsPerPeer: DEFAULT_MAX_STORED_RECORDS_PER_PEER,
  maxStoredBytesPerPeer: DEFAULT_MAX_STORED_BYTES_PER_PEER,
  maxCachedBytes: DEFAULT_MAX_CACHED_BYTES,
  maxMessageBytes: DEFAULT_MAX_MESSAGE_BYTES,
  maxBufferedBytesPerPeer: DEFAULT_MAX_BUFFERED_BYTES_PER_PEER,
  maxBufferedBytes: DEFAULT_MAX_BUFFERED_BYTES,
  maxRequestsPerPeer: DEFAULT_MAX_REQUESTS_PER_PEER,
  maxRequests: DEFAULT_MAX_REQUESTS,
  maxKeysPerSecondPerPeer: DEFAULT_MAX_KEYS_PER_SECOND_PER_PEER,
  maxKeysPerSecond: DEFAULT_MAX_KEYS_PER_SECOND,
  maxQuestionsPerPeer: DEFAULT_MAX_QUESTIONS_PER_PEER,
  maxQuestionBytesPerPeer: DEFAULT_MAX_QUESTION_BYTES_PER_PEER,
  maxLookupCandidates: DEFAULT_MAX_LOOKUP_CANDIDATES,
  maxLookupRequests: DEFAULT_MAX_LOOKUP_REQUESTS,
  maxDialsPerSecond: DEFAULT_MAX_DIALS_PER_SECOND,
  maxCalls: DEFAULT_MAX_CALLS
}

/** Takes out of a caller's limits those of the node, with defaults for those left out. */
export function nodeLimitsOf(given: Partial<NodeLimits> = {}): NodeLimits {
  const names = Object.keys(DEFAULT_NODE_LIMITS) as (keyof NodeLimits)[]
  const entries = names.map((name) => [name, given[name] ?? DEFAULT_NODE_LIMITS[name]])
  return Object.fromEntries(entries) as { [K in keyof NodeLimits]: number }
}

/** A frame's other parts, besides a record and its key. */
const MESSAGE_OVERHEAD_BYTES = 1024

/** @throws TypeError when records are allowed that fit no message */
export function assertMessagesFit(
  { maxMessageBytes }: NodeLimits,
  { maxRecordBytes, maxKeyBytes }: Limits
): void {
  const leastBytes = maxRecordBytes + maxKeyBytes + MESSAGE_OVERHEAD_BYTES

  if (maxMessageBytes < leastBytes || maxMessageBytes > DEFAULT_MAX_MESSAGE_BYTES) {
    throw new TypeError(
      `limits.maxMessageBytes ${maxMessageBytes} must be from ${leastBytes}, or a record and its key don't fit, to ${DEFAULT_MAX_MESSAGE_BYTES}`
    )
  }
}
