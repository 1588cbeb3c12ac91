import type { PeerId } from '@libp2p/interface'
import { RemoteError } from '../errors.ts'
import type { NodeContact } from '../peers/node-contact.ts'
import { atEndOfTurn } from '../waggle-parts.ts'

export interface BatchesInit<I, A> {
  /** Sends items in one message. The responses are in their order. */
  readonly send: (contact: NodeContact, items: readonly I[]) => Promise<readonly A[]>

  /** Items of one message. */
  readonly maxItems: number

  /** Bytes of one message. A single item may have more. */
  readonly maxBytes: number
  readonly bytesOf: (item: I) => number
}

interface Waiting<I, A> {
  readonly item: I
  readonly resolve: (answer: A) => void
  readonly reject: (error: unknown) => void
}

/** Batches a peer's requests of one turn of the event loop into few messages. */
export class Batches<I, A> {
  readonly #init: BatchesInit<I, A>
  readonly #waiting = new Map<string, { contact: NodeContact; items: Waiting<I, A>[] }>()

  constructor(init: BatchesInit<I, A>) {
    this.#init = init
  }

  add(contact: NodeContact, item: I): Promise<A> {
    const { promise, resolve, reject } = Promise.withResolvers<A>()
    const name = contact.id.toString()
    const waiting = this.#waiting.get(name) ?? { contact, items: [] }
    waiting.items.push({ item, resolve, reject })

    if (this.#waiting.size === 0) {
      atEndOfTurn(() => this.#flush())
    }

    this.#waiting.set(name, waiting)
    return promise
  }

  #flush(): void {
    const all = [...this.#waiting.values()]
    this.#waiting.clear()

    for (const { contact, items } of all) {
      for (const batch of cut(items, this.#init)) {
        this.#send(contact, batch)
      }
    }
  }

  #send(contact: NodeContact, batch: readonly Waiting<I, A>[]): void {
    this.#init
      .send(
        contact,
        batch.map(({ item }) => item)
      )
      .then(
        (answers) => settle(batch, answers, contact.id),
        (error: unknown) => this.#onFailure(contact, batch, error)
      )
  }

  /** Retries the items of a failed batch one by one: Python sends one error for all items when one fails or the response gets too large. */
  #onFailure(contact: NodeContact, batch: readonly Waiting<I, A>[], error: unknown): void {
    if (error instanceof RemoteError && batch.length > 1) {
      for (const one of batch) {
        this.#send(contact, [one])
      }

      return
    }

    for (const { reject } of batch) {
      reject(error)
    }
  }
}

function settle<I, A>(batch: readonly Waiting<I, A>[], answers: readonly A[], peer: PeerId): void {
  for (const [i, { resolve, reject }] of batch.entries()) {
    const answer = answers[i]

    if (answer === undefined) {
      reject(new RemoteError(`${peer} answered ${answers.length} of ${batch.length} items`))
    } else {
      resolve(answer)
    }
  }
}

function* cut<I, A>(
  items: readonly Waiting<I, A>[],
  { maxItems, maxBytes, bytesOf }: BatchesInit<I, A>
): Iterable<Waiting<I, A>[]> {
  let batch: Waiting<I, A>[] = []
  let bytes = 0

  for (const waiting of items) {
    const more = bytesOf(waiting.item)

    if (batch.length > 0 && (batch.length === maxItems || bytes + more > maxBytes)) {
      yield batch
      batch = []
      bytes = 0
    }

    batch.push(waiting)
    bytes += more
  }

  yield batch
}
