import { DEFAULT_NODE_LIMITS } from '../node-limits.ts'

/** Bytes of one message: the largest record that any limits allow, its key, and further fields. */
export const MAX_MESSAGE_BYTES: number = 4 * 1024 * 1024

/** Bytes of one message beyond any version and limits: garbage. */
export const MAX_PLAUSIBLE_MESSAGE_BYTES: number = 16 * MAX_MESSAGE_BYTES

/** Queued requests to one peer. */
export const MAX_QUEUED_REQUESTS = 16_384

/** Bytes of requests to one peer that are queued or in flight. */
export const MAX_QUEUED_REQUEST_BYTES: number = 32 * 1024 * 1024

/** Bytes beyond which no further item is added to a message. A single item may be larger. */
export const TARGET_MESSAGE_BYTES: number = 256 * 1024

/** Bytes of one part of a message. */
export const MAX_PART_BYTES: number = 64 * 1024

/** Minimum bytes of queued bulk replies at which no further bulk requests are read from that stream. */
export const MIN_QUEUED_BULK_BYTES: number = 64 * 1024

/** Bytes of deferred requests at which reading stops: honest peers have fewer in flight. */
export const MAX_DEFERRED_BYTES: number = 16 * 1024 * 1024

/** Bytes of queued replies at which no further requests are processed on that stream. */
export const MAX_QUEUED_REPLY_BYTES: number = 4 * 1024 * 1024

/** Bytes of a request from which others may pass it. */
export const LARGE_REQUEST_BYTES: number = 16 * 1024

/** Keys of one request. */
export const MAX_KEYS_PER_MESSAGE = 256

/** Subkeys of one key in one FIND. */
export const MAX_SUBKEYS_PER_KEY = 64

/** Milliseconds of a copy's age, at most: 49 days, longer than any record lives. */
export const MAX_AGE_MS: number = 2 ** 32 - 1

/** The age of a record that may be a part of the replicas' records, in ms. */
export const UNKNOWN_AGE_MS: number = MAX_AGE_MS

/** The same in whole seconds. */
export const MAX_AGE_SECONDS: number = Math.floor(MAX_AGE_MS / 1000)

/** Closer peers in one response, all keys together. */
export const MAX_PEERS_PER_MESSAGE = 1024

/** Closer peers in one reply for one key. */
export const MAX_CLOSER_PEERS = 20

/** Addresses of one peer in one reply. */
export const MAX_ADDRESSES_PER_PEER = 16

/** Addresses that are dialled of one peer. */
export const MAX_DIALLED_ADDRESSES = 8

/** Bytes of a multiaddr. */
export const MAX_ADDRESS_BYTES = 512

/** Parts of a dialled address, such as /ip4, /tcp and /p2p. */
export const MAX_ADDRESS_PARTS = 10

/** Bytes of a peer id's multihash: at most an inlined Ed25519 or a SHA-256 of another key. */
export const MAX_PEER_ID_BYTES = 128

/** Bytes of a key: the largest value of the limit, which the store enforces. */
export const MAX_KEY_BYTES = 65_536

/** Request messages to one peer in flight at once. */
export const MAX_REQUESTS_IN_FLIGHT = 1024

/** Bytes of requests in flight that are not bulk. Others that are read only for their acks have room besides. */
export const MAX_OTHER_BYTES_IN_FLIGHT: number = 256 * 1024

/** Bulk requests in flight: at first and at least, and at most, which is enough to fill any line. */
export const MIN_BULK_IN_FLIGHT = 2
export const MAX_BULK_IN_FLIGHT = 32

/** Milliseconds for which requests wait for others while replies are due. */
export const MAX_BATCH_DELAY_MS = 2

/** Queued requests that are sent at once. */
export const BATCH_REQUESTS = 32

/** Milliseconds without a byte after which a stream with due replies is closed. */
export const INACTIVITY_TIMEOUT_MS = 15_000

/** Largest request id, after which ids start again. */
export const MAX_REQUEST_ID: number = 2 ** 32 - 1

/** Decoded peers in the cache, and peers remembered to lack a protocol. */
export const MAX_CACHED_PEERS = 1000

/** Milliseconds for connecting and opening a stream. */
export const OPEN_TIMEOUT_MS = 10_000

/** Milliseconds until a peer that lacks a protocol is queried for it again. */
export const FALLBACK_MEMORY_MS = 300_000

/** Open streams of one protocol by one peer: one, and room for replacements. */
export const MAX_STREAMS_PER_PEER = 4

/** Replies on one stream that wait for the disk: enough to fill one write to it, few enough to hold in memory. */
export const MAX_REPLIES_IN_FLIGHT: number =
  DEFAULT_NODE_LIMITS.maxRequestsPerPeer / MAX_STREAMS_PER_PEER

/** Bytes of requests on one stream whose replies wait for checks, at which no further request is read. */
export const MAX_BYTES_IN_FLIGHT: number = 1024 * 1024

/** Records of one peer that are being checked before it has to wait. Most are checked at once. */
export const MAX_UNCHECKED_RECORDS = 16

/** Milliseconds in a queue after which a request is answered with BUSY: its sender is about to time out. */
export const MAX_WAIT_MS = 1500

/**
 * Messages of one stream that are read before others get their turn. Reading and answering a small one takes some
 * microseconds that are not charged to any peer, and a peer has several streams.
 */
export const MAX_MESSAGES_PER_TURN = 32
