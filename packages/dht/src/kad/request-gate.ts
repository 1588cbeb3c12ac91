import type { AbortOptions, PeerId } from '@libp2p/interface'
import { isRefusal } from '../peers/refused-dials.ts'

/**
 * Requests to one plain kad-dht peer at once. Each takes a stream of its own; js-libp2p resets streams
 * beyond 32, and go-libp2p beyond some 64.
 */
export const MAX_REQUESTS_PER_PLAIN_PEER = 24

/** Attempts at one request whose streams are reset. */
const MAX_ATTEMPTS = 3

/** The requests to one peer. */
interface Gate {
  running: number
  readonly waiting: PromiseWithResolvers<void>[]
}

/** Bounds the requests to each plain kad-dht peer; further ones wait. */
export class RequestGate {
  readonly #gates = new Map<string, Gate>()

  /** Runs a request in its turn. Rejects if its signal is aborted before. */
  async run<T>(peer: PeerId, request: () => Promise<T>, { signal }: AbortOptions): Promise<T> {
    const name = peer.toString()
    const gate = this.#gates.get(name) ?? { running: 0, waiting: [] }
    this.#gates.set(name, gate)
    await enter(gate, signal)

    try {
      return await request()
    } finally {
      gate.running--
      gate.waiting.shift()?.resolve()

      if (gate.running === 0 && gate.waiting.length === 0) {
        this.#gates.delete(name)
      }
    }
  }
}

async function enter(gate: Gate, signal: AbortSignal | undefined): Promise<void> {
  while (gate.running >= MAX_REQUESTS_PER_PLAIN_PEER) {
    signal?.throwIfAborted()
    const turn = Promise.withResolvers<void>()
    const onAbort = (): void => turn.reject(signal?.reason)
    gate.waiting.push(turn)
    signal?.addEventListener('abort', onAbort)

    try {
      await turn.promise
    } catch (error) {
      remove(gate.waiting, turn)
      throw error
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  gate.running++
}

function remove<T>(items: T[], item: T): void {
  const index = items.indexOf(item)

  if (index >= 0) {
    items.splice(index, 1)
  }
}

/** Repeats a request whose stream the peer resets, as it does when too many streams are open. */
export async function retryResets<T>(
  request: () => Promise<T>,
  { signal }: AbortOptions
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await request()
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || signal?.aborted || !isRefusal(error)) {
        throw error
      }
    }
  }
}
