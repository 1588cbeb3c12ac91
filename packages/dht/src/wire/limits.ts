import { DEFAULT_NODE_LIMITS } from '../node-limits.ts'

/** The protocol's name and version; libp2p negotiates it when a stream is opened. */
export const EXCHANGE_PROTOCOL = '/waggle/exchange/1.0.0'

/** Bytes of one message: the largest record that is allowed anywhere, its key, and what goes with them. */
export const MAX_MESSAGE_BYTES: number = 4 * 1024 * 1024

/** Requests that wait to be sent to one peer, or for its response. */
export const MAX_QUEUED_REQUESTS = 16_384

/** Bytes of these requests. */
export const MAX_QUEUED_REQUEST_BYTES: number = 32 * 1024 * 1024

/** A message is not filled beyond this, unless one item alone is larger. */
export const TARGET_MESSAGE_BYTES: number = 256 * 1024

/** Keys of one request. */
export const MAX_KEYS_PER_MESSAGE = 256

/** Peers that one reply introduces. */
export const MAX_PEERS_PER_MESSAGE = 1024

/** Nearer peers that one reply names for one key. */
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

/** Requests that wait for one peer's answers at the same time. */
export const MAX_REQUESTS_UNDER_WAY = 1024

/** For so long at most questions wait for others while answers are due. */
export const MAX_GATHERING_MS = 2

/** So many questions are worth a message of their own. */
export const GATHERED_QUESTIONS = 32

/** A stream on which answers are due and nothing has come for so long is given up. */
export const MAX_SILENCE_MS = 15_000

/** Request ids start anew after this. */
export const MAX_REQUEST_ID: number = 2 ** 32 - 1

/** Peers that were introduced to us and are remembered as read. */
export const MAX_REMEMBERED_CONTACTS = 1000

/** How long connecting and opening a stream may take, whoever waits for it. */
export const OPEN_TIMEOUT_MS = 10_000

/** How long a peer that does not speak the exchange is not asked again whether it does. */
export const STOCK_PEER_MEMORY_MS = 300_000

/** Exchange streams of one connection: one each way, and room for those that are being replaced. */
export const MAX_EXCHANGE_STREAMS = 4

/** Answers on one stream that wait for the disk. Enough to fill one write to it, few enough to hold in memory. */
export const MAX_OWED_ANSWERS: number =
  DEFAULT_NODE_LIMITS.maxRequestsPerPeer / MAX_EXCHANGE_STREAMS

/** Bytes of messages on one stream whose answers wait for checks, beyond which no other is taken in. */
export const MAX_OWED_BYTES: number = 1024 * 1024

/** A question that has waited for its turn for longer is answered with BUSY: its asker is about to give it up. */
export const MAX_WAIT_MS = 1500

/**
 * Messages of one stream that are taken in before others get their turn, however small they are: reading and
 * answering one takes some microseconds that count for nobody, and a peer has several streams.
 */
export const MAX_MESSAGES_PER_TURN = 32
