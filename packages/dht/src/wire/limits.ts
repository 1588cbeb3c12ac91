import { DEFAULT_NODE_LIMITS } from '../node-limits.ts'

/** Bytes of one message: the largest record that is allowed anywhere, its key, and what goes with them. */
export const MAX_MESSAGE_BYTES: number = 4 * 1024 * 1024

/** Bytes of one message that no peer means, whatever its version and its limits: garbage. */
export const MAX_PLAUSIBLE_MESSAGE_BYTES: number = 16 * MAX_MESSAGE_BYTES

/** Requests that wait to be sent to one peer. */
export const MAX_QUEUED_REQUESTS = 16_384

/** Bytes of requests to one peer that wait or are in flight. */
export const MAX_QUEUED_REQUEST_BYTES: number = 32 * 1024 * 1024

/** Bytes beyond which a message is not filled, unless one item alone is larger. */
export const TARGET_MESSAGE_BYTES: number = 256 * 1024

/** Bytes of one part of a message. */
export const MAX_PART_BYTES: number = 64 * 1024

/** Bytes of bulk replies that wait at least before no more bulk requests are read from that stream. */
export const MIN_QUEUED_BULK_BYTES: number = 64 * 1024

/** Bytes of requests that are kept for later before nothing more is read: honest peers have fewer in flight. */
export const MAX_LEFT_BYTES: number = 16 * 1024 * 1024

/** Bytes of replies that wait before no requests are taken from that stream. */
export const MAX_QUEUED_REPLY_BYTES: number = 4 * 1024 * 1024

/** Bytes of a request that lets others pass. */
export const LARGE_REQUEST_BYTES: number = 16 * 1024

/** Keys of one request. */
export const MAX_KEYS_PER_MESSAGE = 256

/** Subkeys that one FIND asks for, of one key. */
export const MAX_SUBKEYS_PER_KEY = 64

/** Milliseconds that a copy can be old, as far as a message can say: 49 days, more than any record lives. */
export const MAX_AGE_MS: number = 2 ** 32 - 1

/** The age of what may be a part of what replicas hold. */
export const UNKNOWN_AGE_MS: number = MAX_AGE_MS

/** The same in whole seconds. */
export const MAX_AGE_SECONDS: number = Math.floor(MAX_AGE_MS / 1000)

/** Closer peers in one response, all keys together. */
export const MAX_PEERS_PER_MESSAGE = 1024

/** Closer peers that one reply names for one key. */
export const MAX_CLOSER_PEERS = 20

/** Addresses that one reply gives for one peer. */
export const MAX_ADDRESSES_PER_PEER = 16

/** Of these, those that are dialled. */
export const MAX_DIALLED_ADDRESSES = 8

/** A multiaddr's bytes. */
export const MAX_ADDRESS_BYTES = 512

/** Parts of an address that is dialled, such as /ip4, /tcp and /p2p. */
export const MAX_ADDRESS_PARTS = 10

/** A peer id's multihash: at most an inlined Ed25519 or a SHA-256 of another key. */
export const MAX_PEER_ID_BYTES = 128

/** A key may be as large as the limits' largest, of which the store is the judge. */
export const MAX_KEY_BYTES = 65_536

/** Request messages to one peer in flight at once. */
export const MAX_REQUESTS_IN_FLIGHT = 1024

/** Bytes of requests in flight that are not bulk: others that are read only for their acks have room besides. */
export const MAX_OTHER_BYTES_IN_FLIGHT: number = 256 * 1024

/** Of these, bulk ones: enough to fill any line, few enough for the other side to keep. */
export const MAX_BULK_IN_FLIGHT = 32

/** Milliseconds for which requests wait for others while replies are due. */
export const MAX_BATCH_DELAY_MS = 2

/** Requests that are worth a message of their own. */
export const BATCH_REQUESTS = 32

/** Milliseconds without a byte after which a stream on which replies are due is given up. */
export const INACTIVITY_TIMEOUT_MS = 15_000

/** Request ids start anew after this. */
export const MAX_REQUEST_ID: number = 2 ** 32 - 1

/** Peers remembered as decoded, and peers remembered to lack a protocol. */
export const MAX_CACHED_PEERS = 1000

/** Milliseconds that connecting and opening a stream may take, whoever waits for it. */
export const OPEN_TIMEOUT_MS = 10_000

/** Milliseconds until a peer that lacks a protocol is asked for it again. */
export const FALLBACK_MEMORY_MS = 300_000

/** Streams of one protocol that one peer may have open: one, and room for those that are being replaced. */
export const MAX_STREAMS_PER_PEER = 4

/** Replies on one stream that wait for the disk: enough to fill one write to it, few enough to hold in memory. */
export const MAX_REPLIES_IN_FLIGHT: number =
  DEFAULT_NODE_LIMITS.maxRequestsPerPeer / MAX_STREAMS_PER_PEER

/** Bytes of requests on one stream whose replies wait for checks, beyond which no other request is read. */
export const MAX_BYTES_IN_FLIGHT: number = 1024 * 1024

/** Records of one peer that are being checked before it has to wait. Most are checked at once. */
export const MAX_UNCHECKED_RECORDS = 16

/** Milliseconds after which a request that waits for its turn is answered with BUSY: its sender is about to give up. */
export const MAX_WAIT_MS = 1500

/**
 * Messages of one stream that are read before others get their turn. Reading and answering a small
 * one takes some microseconds that count for nobody, and a peer has several streams.
 */
export const MAX_MESSAGES_PER_TURN = 32
