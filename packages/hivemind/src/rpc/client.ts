import type { PeerId } from '@libp2p/interface'
import { getDHTTime } from '@waggle/record'
import { RemoteError } from '../errors.ts'
import type { NodeContact } from '../peers/node-contact.ts'
import { type ClockReading, clockReading } from '../waggle-parts.ts'
import type { StoreItem } from '../wire/items.ts'
import {
  decodeFindResponse,
  decodePingResponse,
  decodeStoreResponse,
  encodeFindRequest,
  encodePingRequest,
  encodeStoreRequest,
  type FindResult,
  type PingResponse,
  type SenderId
} from '../wire/messages.ts'
import { Batches } from './batches.ts'
import type { Caller } from './caller.ts'
import { FIND, PING, STORE } from './procedures.ts'

/** Keys of one find request, as in Hivemind: an answer holds a record and 20 nodes for each. */
const MAX_KEYS = 16

/** Items and bytes of one store request: one of 4 MiB gets no answer. */
const MAX_ITEMS = 256
const MAX_STORE_BYTES: number = 1024 * 1024

/** Bytes of an item beside its value and subkey. */
const ITEM_BYTES = 64

export interface ClientInit {
  readonly caller: Caller

  /** This node's id; undefined: a client, which nobody puts into a table. */
  readonly sender: SenderId

  /** A peer has answered, and told its node id. */
  readonly onAnswer: (peer: PeerId, nodeId: SenderId) => void

  /** A peer has told its time in answer to a ping. */
  readonly onClock: (peer: PeerId, reading: ClockReading) => void

  /** A peer has not answered. */
  readonly onFailure: (peer: PeerId) => void
}

/** Calls the three procedures. What is asked of one peer in one turn goes out in few messages. */
export class HivemindClient {
  readonly #init: ClientInit
  readonly #finds: Batches<Uint8Array, FindResult>
  readonly #stores: Batches<StoreItem, boolean>

  constructor(init: ClientInit) {
    this.#init = init
    this.#finds = new Batches({
      send: (contact, keys) => this.#find(contact, keys),
      maxItems: MAX_KEYS,
      maxBytes: Number.POSITIVE_INFINITY,
      bytesOf: () => 0
    })
    this.#stores = new Batches({
      send: (contact, items) => this.#store(contact, items),
      maxItems: MAX_ITEMS,
      maxBytes: MAX_STORE_BYTES,
      bytesOf: ({ subkey, value }) => subkey.length + value.length + ITEM_BYTES
    })
  }

  /** Asks a peer for its node id and its time; validated: and to ping this node back. */
  async ping(
    peer: PeerId,
    { isValidated = false }: { isValidated?: boolean } = {}
  ): Promise<PingResponse> {
    const { sender, onAnswer, onClock } = this.#init
    const request = encodePingRequest({ sender, isValidated })
    const [askedAt, startMs] = [getDHTTime(), performance.now()]
    const response = decodePingResponse(await this.#call(peer, PING, request))
    onAnswer(peer, response.sender)

    // A peer without a clock tells 0.
    if (response.dhtTime !== 0) {
      const tookMs = performance.now() - startMs
      onClock(peer, clockReading({ askedAt, tookMs, peerTime: response.dhtTime }))
    }

    return response
  }

  /** Asks what a node holds under a key, and whom it knows near to it. */
  find(contact: NodeContact, key: Uint8Array): Promise<FindResult> {
    return this.#finds.add(contact, key)
  }

  /** Asks a node to hold something, and says whether it does. */
  store(contact: NodeContact, item: StoreItem): Promise<boolean> {
    return this.#stores.add(contact, item)
  }

  async #find(contact: NodeContact, keys: readonly Uint8Array[]): Promise<readonly FindResult[]> {
    const { sender } = this.#init
    const data = await this.#call(contact.id, FIND, encodeFindRequest({ sender, keys }))
    const response = decodeFindResponse(data)
    this.#init.onAnswer(contact.id, response.sender)
    return response.results
  }

  async #store(contact: NodeContact, items: readonly StoreItem[]): Promise<readonly boolean[]> {
    const { sender } = this.#init
    const data = await this.#call(contact.id, STORE, encodeStoreRequest({ sender, items }))
    const response = decodeStoreResponse(data)
    this.#init.onAnswer(contact.id, response.sender)
    return response.stored
  }

  async #call(peer: PeerId, procedure: string, data: Uint8Array): Promise<Uint8Array> {
    try {
      return await this.#init.caller.call(peer, procedure, data)
    } catch (error) {
      // A peer that says what went wrong is there.
      if (!(error instanceof RemoteError)) {
        this.#init.onFailure(peer)
      }

      throw error
    }
  }
}
