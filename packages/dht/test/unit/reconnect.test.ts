import type { Libp2p, PeerId } from '@libp2p/interface'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { TypedEventEmitter } from 'main-event'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { DHTEvents } from '../../src/events.ts'
import { type JoinResult, join } from '../../src/join/join.ts'
import type { Waggle } from '../../src/service/service-interface.ts'
import { peerNumber } from '../support/numbered-peers.ts'
import { silentLog } from '../support/silent-log.ts'

const [OWN, A, B, C] = [0, 1, 2, 3].map(addressOf) as [Multiaddr, Multiaddr, Multiaddr, Multiaddr]
const HOUR_MS = 3_600_000

function addressOf(n: number): Multiaddr {
  return multiaddr(`/ip4/10.0.0.${n}/tcp/1/p2p/${peerNumber(n)}`)
}

function idIn(address: Multiaddr): string {
  return address.getComponents().at(-1)?.value ?? ''
}

/** A node whose dials and peers the test controls. */
class Scene {
  readonly dials: string[] = []
  readonly joined = new Map<string, PeerId>()
  readonly events = new TypedEventEmitter<DHTEvents>()
  readonly #reachable = new Set<string>()
  readonly #banned = new Set<string>()
  readonly #lifetime = new AbortController()
  readonly #node = {
    status: 'started',
    logger: { forComponent: () => silentLog },
    peerStore: { get: async (id: PeerId) => ({ addresses: addressesOf(id), protocols: [] }) },
    addEventListener() {},
    removeEventListener() {},
    getConnections: () => [],
    dial: async ([address]: Multiaddr[]) => this.#dial(address as Multiaddr)
  }
  readonly #waggle: Partial<Waggle> = {
    events: this.events,
    isJoined: (id) => this.joined.has(id.toString()),
    isBanned: (id) => this.#banned.has(id.toString()),
    discover() {},
    countJoin() {}
  }

  constructor() {
    Object.defineProperty(this.#waggle, 'joinedPeers', { get: () => [...this.joined.values()] })
  }

  join(initialPeers: readonly Multiaddr[]): Promise<JoinResult> {
    return join({
      node: this.#node as unknown as Libp2p,
      waggle: this.#waggle as Waggle,
      initialPeers,
      requireBootstrap: false,
      strictClock: false,
      bootstrapTimeoutMs: 10_000,
      signal: undefined,
      lifetime: this.#lifetime.signal
    })
  }

  /** Lets dials of a peer succeed from now on. */
  reach(n: number): void {
    this.#reachable.add(peerNumber(n).toString())
  }

  /** Disconnects a peer, and lets dials of it fail from now on. */
  lose(n: number): void {
    this.#reachable.delete(peerNumber(n).toString())
    this.leave(n)
  }

  leave(n: number): void {
    if (this.joined.delete(peerNumber(n).toString())) {
      this.events.safeDispatchEvent('peer:lost', { detail: peerNumber(n) })
    }
  }

  ban(n: number): void {
    this.#banned.add(peerNumber(n).toString())
  }

  /** Connects a peer that has dialled this node. */
  meet(n: number): Promise<void> {
    this.joined.set(peerNumber(n).toString(), peerNumber(n))
    this.events.safeDispatchEvent('peer:connect', { detail: peerNumber(n) })
    return pass(0)
  }

  dialsOf(n: number): number {
    return this.dials.filter((id) => id === peerNumber(n).toString()).length
  }

  stop(): void {
    this.#lifetime.abort()
  }

  async #dial(address: Multiaddr): Promise<unknown> {
    const id = idIn(address)
    this.dials.push(id)

    if (id === idIn(OWN)) {
      throw new Error('Can not dial self')
    }

    if (!this.#reachable.has(id)) {
      throw new Error('connect ECONNREFUSED')
    }

    const peer = [1, 2, 3].map(peerNumber).find((one) => one.toString() === id) as PeerId
    this.joined.set(id, peer)
    this.events.safeDispatchEvent('peer:connect', { detail: peer })
    return { id: `connection to ${id}`, remotePeer: peer, status: 'open' }
  }
}

function addressesOf(id: PeerId): { multiaddr: Multiaddr }[] {
  const n = [1, 2, 3].find((one) => peerNumber(one).equals(id)) ?? 0
  return [{ multiaddr: addressOf(n) }]
}

async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms)
}

describe('a node in its network', () => {
  let scene: Scene

  beforeEach(() => {
    vi.useFakeTimers()
    scene = new Scene()
  })

  afterEach(() => {
    scene.stop()
    vi.useRealTimers()
  })

  it('tries an initial peer again for as long as it takes, and never itself (N8h)', async () => {
    await scene.join([OWN, A])
    await pass(HOUR_MS)
    expect(scene.dialsOf(0)).toBe(1)
    expect(scene.dialsOf(1)).toBeGreaterThan(60)

    scene.reach(1)
    await pass(60_000)
    expect([...scene.joined.keys()]).toEqual([idIn(A)])
  })

  it('goes back to a peer that left, unless that is banned (N9c)', async () => {
    scene.reach(1)
    scene.reach(2)
    await scene.join([A, B])
    await scene.meet(3)
    scene.ban(2)
    scene.leave(1)
    scene.leave(2)
    await pass(60_000)

    expect([scene.dialsOf(1), scene.dialsOf(2)]).toEqual([2, 1])
    expect([...scene.joined.keys()]).toEqual([idIn(C), idIn(A)])
  })

  it('goes back to all others when its last peer is banned (N8h)', async () => {
    scene.reach(2)
    await scene.join([A, B])
    scene.ban(2)
    scene.leave(2)
    const before = scene.dialsOf(1)
    scene.reach(1)
    await pass(10_000)

    expect(scene.dialsOf(1)).toBeGreaterThan(before)
    expect([...scene.joined.keys()]).toEqual([idIn(A)])
  })

  it('lets a peer go that it met, and goes back to it only when it is alone (N8h, N10g)', async () => {
    scene.reach(1)
    await scene.join([A])
    await scene.meet(3)
    scene.lose(3)
    await pass(5 * HOUR_MS)
    expect(scene.dialsOf(3)).toBe(0)

    scene.lose(1)
    await pass(HOUR_MS)
    expect(scene.dialsOf(3)).toBeGreaterThan(100)
    scene.reach(3)
    await pass(10_000)
    expect([...scene.joined.keys()]).toEqual([idIn(C)])
  })
})
