import type { PeerId } from '@libp2p/interface'
import type { MaybePromise } from '@waggle/record'
import { isPromise, whenDone } from '@waggle/record/replica'
import { equals } from 'uint8arrays/equals'
import { MalformedBytesError } from '../errors.ts'
import type { NodeContact } from '../peers/node-contact.ts'
import type { RoutingTable } from '../peers/routing-table.ts'
import { FIND, PING, STORE } from '../rpc/procedures.ts'
import type { ReceivedCall } from '../rpc/server.ts'
import type { Door } from '../waggle-parts.ts'
import { assertReplyFits } from '../wire/envelope.ts'
import type { StoreItem } from '../wire/items.ts'
import {
  decodeFindRequest,
  decodePingRequest,
  decodeStoreRequest,
  encodeFindResult,
  encodePingResponse,
  encodeStoreResponse,
  joinFindResults,
  type NamedNode,
  type SenderId
} from '../wire/messages.ts'
import { inTurn } from './in-turn.ts'
import type { Replica } from './replica.ts'

export interface AnswersInit {
  readonly ownId: Uint8Array
  readonly replica: Replica
  readonly routing: RoutingTable

  /** The node's door, which schedules and limits the responses (N13). */
  readonly door: Door
  readonly clock: () => number

  /** Nodes listed in a response. */
  readonly bucketSize: number

  /** Called when a peer sends a request, with its node id. */
  readonly onAsked: (peer: PeerId, nodeId: SenderId) => void

  /** Pings a peer back and returns the node id that it sends. */
  readonly pingBack: (peer: PeerId) => Promise<SenderId>

  /** Whether a peer may store at this node. */
  readonly mayStore: (peer: PeerId) => boolean | Promise<boolean>
}

/** Keys or items of one request. Hivemind sends 16 keys, and all items of a handover. */
const MAX_ITEMS = 16_384

/** Serves the three procedures. */
export class Answers {
  readonly #init: AnswersInit

  constructor(init: AnswersInit) {
    this.#init = init
  }

  /** Undefined when the caller no longer waits for the reply. */
  answer(call: ReceivedCall): Promise<Uint8Array | undefined> {
    switch (call.procedure) {
      case PING:
        return this.#ping(call)
      case STORE:
        return this.#store(call)
      case FIND:
        return this.#find(call)
      default:
        throw new MalformedBytesError(`there is no procedure ${call.procedure}`)
    }
  }

  async #ping({ peer, data }: ReceivedCall): Promise<Uint8Array> {
    const { sender, isValidated } = decodePingRequest(data)
    const isAvailable = sender !== undefined && isValidated && (await this.#isAt(peer, sender))

    if (isAvailable || !isValidated) {
      this.#init.onAsked(peer, sender)
    }

    const { ownId, clock } = this.#init
    return encodePingResponse({ sender: ownId, dhtTime: clock(), isAvailable })
  }

  async #isAt(peer: PeerId, nodeId: Uint8Array): Promise<boolean> {
    try {
      const given = await this.#init.pingBack(peer)
      return given !== undefined && equals(given, nodeId)
    } catch {
      return false
    }
  }

  async #store({ peer, data, isWanted }: ReceivedCall): Promise<Uint8Array | undefined> {
    const { door, onAsked, ownId, replica, mayStore } = this.#init
    const { sender, items } = decodeStoreRequest(data)
    assertCount(items.length)
    onAsked(peer, sender)

    if (!(await mayStore(peer))) {
      return encodeStoreResponse({ sender: ownId, stored: items.map(() => false) })
    }

    const name = peer.toString()
    const stored = await inTurn(door.scheduler, {
      ...{ peer: name, keys: items.length, isWanted },
      answer: taken(replica, items, name)
    })
    return stored && encodeStoreResponse({ sender: ownId, stored })
  }

  async #find({ peer, data, isWanted }: ReceivedCall): Promise<Uint8Array | undefined> {
    const { door, onAsked, ownId } = this.#init
    const { sender, keys } = decodeFindRequest(data)
    assertCount(keys.length)
    onAsked(peer, sender)
    const results = await inTurn(door.scheduler, {
      ...{ peer: peer.toString(), keys: keys.length, isWanted },
      answer: this.#found(keys, peer)
    })
    return results && joinFindResults(ownId, results)
  }

  /**
   * Finds and encodes, one key in each step.
   *
   * @throws RangeError once the results exceed what one message may hold
   */
  *#found(keys: readonly Uint8Array[], asker: PeerId): Generator<undefined, Uint8Array[]> {
    const { bucketSize, replica, routing } = this.#init
    const results: Uint8Array[] = []
    let bytes = 0

    for (const key of keys) {
      const known = routing.nearest(key, bucketSize + 1)
      const others = known.filter(({ id }) => !id.equals(asker)).slice(0, bucketSize)
      const result = encodeFindResult({ found: replica.find(key), nearest: others.map(named) })
      bytes += result.length
      assertReplyFits(bytes)
      results.push(result)
      yield
    }

    return results
  }
}

/** Checks and stores items, in steps. */
function* taken(
  replica: Replica,
  items: readonly StoreItem[],
  writer: string
): Generator<undefined, MaybePromise<boolean[]>> {
  const stored: MaybePromise<boolean>[] = []

  for (const item of items) {
    const checked = yield* replica.check(item, writer)
    stored.push(whenDone(checked, (one) => replica.take(one, writer)))
    yield
  }

  return stored.some(isPromise) ? Promise.all(stored) : (stored as boolean[])
}

function named({ id, nodeId }: NodeContact): NamedNode {
  return { nodeId, peerId: id.toMultihash().bytes }
}

function assertCount(count: number): void {
  if (count > MAX_ITEMS) {
    throw new MalformedBytesError(`a request has ${count} items, at most ${MAX_ITEMS} are allowed`)
  }
}
