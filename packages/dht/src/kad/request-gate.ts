import type { AbortOptions, PeerId } from '@libp2p/interface'
import { BoundedMap } from '../collections/bounded-map.ts'
import { isRefusal } from '../peers/refused-dials.ts'

/**
 * Requests to one plain kad-dht peer at once. Each takes a stream of its own; js-libp2p resets streams
 * beyond 32, and go-libp2p beyond some 64.
 */
export const MAX_REQUESTS_PER_PLAIN_PEER = 24

/** Attempts at one request whose streams are reset. Each may halve the number of streams at once. */
const MAX_ATTEMPTS = 6

/** Peers whose limits are remembered while no request to them runs. */
const MAX_REMEMBERED = 1000

/** The requests to one peer. */
interface Gate {
  running: number
  readonly waiting: PromiseWithResolvers<void>[]

  /** Requests at once. */
  limit: number

  /** Number of times that resets have lowered the limit. */
  reductions: number
}

/**
 * Bounds the requests to each plain kad-dht peer; further ones wait. A peer that resets streams gets half as many at
 * once, and with each limit's worth of responses one more (as TCP's congestion avoidance, RFC 5681).
 */
export class RequestGate {
  readonly #gates = new Map<string, Gate>()
  readonly #limits = new BoundedMap<string, number>({ maxSize: MAX_REMEMBERED })

  /** Runs a request in its turn. Rejects if its signal is aborted before. */
  async run<T>(peer: PeerId, request: () => Promise<T>, { signal }: AbortOptions): Promise<T> {
    const name = peer.toString()
    const gate = this.#gateOf(name)
    await enter(gate, signal)
    const { reductions } = gate

    try {
      const response = await request()
      gate.limit = Math.min(gate.limit + 1 / gate.limit, MAX_REQUESTS_PER_PLAIN_PEER)
      return response
    } catch (error) {
      // Streams that were opened before the limit was lowered say nothing about it.
      if (isReset(error) && reductions === gate.reductions) {
        gate.limit = Math.max(gate.limit / 2, 1)
        gate.reductions++
      }

      throw error
    } finally {
      this.#leave(name, gate)
    }
  }

  #gateOf(name: string): Gate {
    const limit = this.#limits.get(name) ?? MAX_REQUESTS_PER_PLAIN_PEER
    const gate = this.#gates.get(name) ?? { running: 0, waiting: [], limit, reductions: 0 }
    this.#gates.set(name, gate)
    return gate
  }

  #leave(name: string, gate: Gate): void {
    gate.running--
    const free = Math.floor(gate.limit) - gate.running

    for (const turn of gate.waiting.splice(0, Math.max(free, 0))) {
      turn.resolve()
    }

    if (gate.running === 0 && gate.waiting.length === 0) {
      this.#gates.delete(name)

      if (gate.limit < MAX_REQUESTS_PER_PLAIN_PEER) {
        this.#limits.set(name, gate.limit)
      } else {
        this.#limits.delete(name)
      }
    }
  }
}

async function enter(gate: Gate, signal: AbortSignal | undefined): Promise<void> {
  while (gate.running >= Math.floor(gate.limit)) {
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
      if (attempt === MAX_ATTEMPTS || signal?.aborted || !isReset(error)) {
        throw error
      }
    }
  }
}

/** Whether the peer has reset a stream, as libp2p tells before or after the request is written. */
function isReset(error: unknown): boolean {
  return isRefusal(error) || (error instanceof Error && error.name === 'StreamStateError')
}
