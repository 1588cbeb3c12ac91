import { setImmediate } from 'node:timers/promises'
import type { PeerInfo } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { TypedEventEmitter } from 'main-event'
import { describe, expect, it, vi } from 'vitest'
import {
  MAX_NEIGHBOUR_DIALS,
  MAX_NEIGHBOUR_DIALS_PER_NODE,
  type MergeOnInboundInit,
  mergeOnInbound
} from '../../src/discovery/merge-on-inbound.ts'
import { ALPHA } from '../../src/discovery/network-merge.ts'
import type { ConnectOptions } from '../../src/wire/dialer.ts'
import { contacts, peerNumber } from '../support/numbered-peers.ts'

const NEIGHBOURS: PeerInfo[] = contacts(20).map(({ id }) => ({
  ...{ id, multiaddrs: [multiaddr('/ip4/127.0.0.1/tcp/1')] }
}))

/** A node whose dials a test settles. */
class Newcomer {
  readonly #controller = new AbortController()
  readonly #dials: PromiseWithResolvers<void>[] = []
  dialled = 0
  isKnown = false

  constructor(number: number) {
    const init: Partial<Record<keyof MergeOnInboundInit, unknown>> = {
      self: peerNumber(number),
      channel: { find: async () => ({ closer: NEIGHBOURS }) },
      connectionManager: { getConnections: () => [{ status: 'open' }] },
      dialer: {
        connect: (_: PeerInfo, { runLimited }: Required<ConnectOptions>) =>
          runLimited((signal) => this.#dial(signal))
      },
      events: new TypedEventEmitter(),
      peers: { isBanned: () => false, isUnreachable: () => false },
      routing: { nearest: () => [], has: () => this.isKnown },
      ...{ requestTimeoutMs: 60_000, neighbourCount: () => NEIGHBOURS.length }
    }
    mergeOnInbound(init as unknown as MergeOnInboundInit, this.#controller.signal).discover(
      peerNumber(1000)
    )
  }

  get dialling(): number {
    return this.#dials.length
  }

  /** Ends dials under way. */
  end(count: number, how: 'resolve' | 'reject'): void {
    for (const dial of this.#dials.splice(0, count)) {
      dial[how]()
    }
  }

  stop(): void {
    this.#controller.abort()
  }

  #dial(signal?: AbortSignal): Promise<void> {
    const dial = Promise.withResolvers<void>()
    this.dialled++
    this.#dials.push(dial)
    signal?.addEventListener('abort', () => {
      this.#dials.splice(0)
      dial.reject(signal?.reason)
    })
    return dial.promise
  }
}

describe('neighbours', () => {
  it('are dialled a few at a time by all nodes of a process together, in turns (N10f)', async () => {
    const [one, other] = [new Newcomer(2001), new Newcomer(2002)]
    const dialling = (): number[] => [one.dialling, other.dialling]
    await vi.waitFor(() => expect(dialling()).toEqual([ALPHA, ALPHA]))

    // The nearest have answered, so each node knows all of its neighbours.
    one.end(ALPHA, 'resolve')
    await vi.waitFor(() => expect(one.dialling).toBe(MAX_NEIGHBOUR_DIALS - ALPHA))
    other.end(ALPHA, 'resolve')
    await vi.waitFor(() => expect(one.dialling + other.dialling).toBe(MAX_NEIGHBOUR_DIALS))
    expect(Math.max(...dialling())).toBeLessThanOrEqual(MAX_NEIGHBOUR_DIALS_PER_NODE)
    expect(Math.min(...dialling())).toBeGreaterThan(0)

    const before = one.dialled + other.dialled
    one.end(1, 'reject')
    await vi.waitFor(() => expect(one.dialled + other.dialled).toBe(before + 1))

    // A node that has stopped gives up its places, and dials nobody any more.
    one.stop()
    const { dialled } = one
    await vi.waitFor(() => expect(dialling()).toEqual([0, MAX_NEIGHBOUR_DIALS_PER_NODE]))

    while (other.dialled < NEIGHBOURS.length) {
      const seen = other.dialled
      other.end(1, 'resolve')
      await vi.waitFor(() => expect(other.dialled).toBeGreaterThan(seen))
    }

    expect(one.dialled).toBe(dialled)
    other.stop()
  })

  it('that have become known while they waited are not dialled (N10f)', async () => {
    const newcomer = new Newcomer(2003)
    await vi.waitFor(() => expect(newcomer.dialling).toBe(ALPHA))
    newcomer.end(ALPHA, 'resolve')
    await vi.waitFor(() => expect(newcomer.dialling).toBe(MAX_NEIGHBOUR_DIALS_PER_NODE))
    const { dialled } = newcomer

    newcomer.isKnown = true
    newcomer.end(MAX_NEIGHBOUR_DIALS_PER_NODE, 'resolve')
    await setImmediate()
    expect(newcomer.dialled).toBe(dialled)
    newcomer.stop()
  })
})
