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

/** Keys of one find request, as in Hivemind: a response holds a record and 20 nodes for each. */
const MAX_KEYS = 16

/** Items and bytes of one store request. A request of 4 MiB gets no response. */
const MAX_ITEMS = 256
const MAX_STORE_BYTES: number = 1024 * 1024

/** Bytes of an item, besides its value and subkey. */
const ITEM_BYTES = 64

export interface ClientInit {
  readonly caller: Caller

  /** This node's id; undefined for a client, which other nodes keep out of their tables. */
  readonly sender: SenderId

  /** Called when a peer responds, with its node id. */
  readonly onAnswer: (peer: PeerId, nodeId: SenderId) => void

  /** Called with a peer's time from its response to a ping. */
  readonly onClock: (peer: PeerId, reading: ClockReading) => void

  /** Called when a peer does not respond. */
  readonly onFailure: (peer: PeerId) => void
}

/** Calls the three procedures. Batches the requests to one peer in one turn into few messages. */
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

  /** Requests a peer's node id and time; `validated` also requests a ping back to this node. */
  async ping(
    peer: PeerId,
    { isValidated = false }: { isValidated?: boolean } = {}
  ): Promise<PingResponse> {
    const { sender, onAnswer, onClock } = this.#init
    const request = encodePingRequest({ sender, isValidated })
    const [askedAt, startMs] = [getDHTTime(), performance.now()]
    const response = decodePingResponse(await this.#call(peer, PING, request))
    onAnswer(peer, response.sender)

    // A peer without a clock sends 0.
    if (response.dhtTime !== 0) {
      const tookMs = performance.now() - startMs
      onClock(peer, clockReading({ askedAt, tookMs, peerTime: response.dhtTime }))
    }

    return response
  }

  /** Requests a node's record of a key, and the nodes that it knows near the key. */
  find(contact: NodeContact, key: Uint8Array): Promise<FindResult> {
    return this.#finds.add(contact, key)
  }

  /** Stores an item at a node. Returns whether the node accepted it. */
  store(contact: NodeContact, item: StoreItem): Promise<boolean> {
    return this.#stores.add(contact, item)
  }

  async #find(contact: NodeContact, keys: readonly Uint8Array[]): Promise<readonly FindResult[]> {
    const { sender } = this.#init
    const data = await this.#call(contact.id, FIND, encodeFindRequest({ sender, keys }))
    const response = decodeFindResponse(data, keys.length)
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
      // A peer that reports an error is alive.
      if (!(error instanceof RemoteError)) {
        this.#init.onFailure(peer)
      }

      throw error
    }
  }
}
