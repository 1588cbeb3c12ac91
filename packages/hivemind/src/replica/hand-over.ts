import { compare } from 'uint8arrays/compare'
import { bytesOf } from '../bytes/latin1.ts'
import { distance } from '../keys/dht-id.ts'
import type { NodeContact } from '../peers/node-contact.ts'
import type { RoutingTable } from '../peers/routing-table.ts'
import { isEmpty } from '../record/record.ts'
import type { HivemindClient } from '../rpc/client.ts'
import { atEndOfTurn, Pace } from '../waggle-parts.ts'
import type { StoreItem } from '../wire/items.ts'
import { entryBytes } from './limits.ts'
import type { ReplicaStore } from './replica-store.ts'
import { itemsOf } from './store-item.ts'

export interface HandOverInit {
  readonly ownId: Uint8Array
  readonly storage: ReplicaStore
  readonly routing: RoutingTable
  readonly client: HivemindClient
  readonly numReplicas: number
}

/** Records examined in one turn of the event loop. */
const RECORDS_PER_TURN = 256

/** Items in flight to one newcomer at once, and their bytes. */
const MAX_IN_FLIGHT = 256
const MAX_BYTES_IN_FLIGHT: number = 4 * 1024 * 1024

/** Newcomers that wait. Further ones receive nothing: later contacts bring another chance. */
const MAX_WAITING = 256

/** Transfers records to a newcomer that is near them, if this node is the one responsible. */
export class HandOver {
  readonly #init: HandOverInit
  readonly #waiting: NodeContact[] = []

  /** Identities are free, so newcomers could use up this node's connection otherwise (N13k). */
  readonly #pace = new Pace()
  #isRunning = false

  constructor(init: HandOverInit) {
    this.#init = init
  }

  /** Queues a node that was just added to the table. Newcomers are served in order. */
  add(newcomer: NodeContact): void {
    if (this.#init.storage.size > 0 && this.#waiting.length < MAX_WAITING) {
      this.#waiting.push(newcomer)
      this.#run()
    }
  }

  async #serveAll(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      await this.#serve(next)
    }
  }

  #run(): void {
    if (!this.#isRunning) {
      this.#isRunning = true
      const onEnd = (): void => {
        this.#isRunning = false
      }
      this.#serveAll().then(onEnd, onEnd)
    }
  }

  async #serve(newcomer: NodeContact): Promise<void> {
    const { storage } = this.#init
    let sent: Promise<unknown>[] = []
    let bytes = 0
    let seen = 0

    for (const name of storage.keys()) {
      const key = bytesOf(name)
      const record = storage.get(name)

      if (!isEmpty(record) && this.#isToSend(key, newcomer)) {
        const items = itemsOf(key, record)
        const more = bytesOfItems(items)
        await this.#pace.wait(more)
        sent.push(...items.map((item) => this.#init.client.store(newcomer, item)))
        bytes += more
      }

      const isFull = sent.length > MAX_IN_FLIGHT || bytes > MAX_BYTES_IN_FLIGHT

      if (++seen % RECORDS_PER_TURN === 0 || isFull) {
        const isAnySent = await arrived(sent)
        sent = []
        bytes = 0

        if (!isAnySent) {
          return
        }

        await new Promise<void>((resolve) => atEndOfTurn(resolve))
      }
    }

    await arrived(sent)
  }

  /**
   * Applies Hivemind's rule: the nearest holder sends a record to a newcomer that is nearer than the last of the
   * replicas.
   */
  #isToSend(key: Uint8Array, newcomer: NodeContact): boolean {
    const { routing, numReplicas, ownId } = this.#init
    const others = routing
      .nearest(key, numReplicas + 1)
      .filter((one) => one !== newcomer && !one.id.equals(newcomer.id))
      .slice(0, numReplicas)
    const [nearest] = others
    const farthest = others.at(-1)

    if (nearest === undefined || farthest === undefined) {
      return true
    }

    const isNear = others.length < numReplicas || isNearer(key, newcomer.nodeId, farthest.nodeId)
    return isNear && isNearer(key, ownId, nearest.nodeId)
  }
}

function bytesOfItems(items: readonly StoreItem[]): number {
  return items.reduce(
    (sum, { subkey, value }) => sum + entryBytes(undefined, value) + subkey.length,
    0
  )
}

function isNearer(key: Uint8Array, a: Uint8Array, b: Uint8Array): boolean {
  return compare(distance(key, a), distance(key, b)) < 0
}

/** False if no item arrived: then the newcomer is unreachable. */
async function arrived(sent: readonly Promise<unknown>[]): Promise<boolean> {
  const results = await Promise.allSettled(sent)
  return results.length === 0 || results.some(({ status }) => status === 'fulfilled')
}
