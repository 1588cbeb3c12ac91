import type { Connection, PeerId } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import { multiaddr } from '@multiformats/multiaddr'
import { getDHTTime, plainRecord, recordKey } from '@waggle/record'
import { TypedEventEmitter } from 'main-event'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { DHTEvents } from '../../src/events.ts'
import { StandIn } from '../../src/pages/stand-in.ts'
import { KnownPeers } from '../../src/peers/known-peers.ts'
import { PeerBook } from '../../src/peers/peer-book.ts'
import { RecordStore } from '../../src/store/record-store.ts'
import { peerNumber } from '../support/numbered-peers.ts'
import { silentLog } from '../support/silent-log.ts'

type Topology = Parameters<Registrar['register']>[1]

const [SELF, SERVER, PAGE, OTHER] = [1, 2, 3, 4].map(peerNumber) as [PeerId, PeerId, PeerId, PeerId]
const KEY = recordKey('key')

/** A page with real tables and stores. The test controls its protocols and its hand-over. */
class PageScene {
  readonly events = new TypedEventEmitter<DHTEvents>()
  readonly store = new RecordStore()
  readonly cache = new RecordStore()
  readonly served = new Set<string>()
  readonly handedOver: number[] = []
  readonly stopping = new AbortController()
  isTaken = true
  #topology: Topology | undefined

  readonly routing = new KnownPeers({
    self: SELF,
    records: new PeerBook().records,
    addressesOf: async () => [],
    onFound: (detail) => this.events.safeDispatchEvent('peer:found', { detail }),
    onLost: (detail) => this.events.safeDispatchEvent('peer:lost', { detail }),
    onConnect: (detail) => this.events.safeDispatchEvent('peer:connect', { detail }),
    onDisconnect: (detail) => this.events.safeDispatchEvent('peer:disconnect', { detail })
  })

  readonly standIn = new StandIn({
    registrar: this.#registrar(),
    events: this.events,
    log: silentLog,
    routing: this.routing,
    store: this.store,
    cache: this.cache,
    serve: async () => void this.served.add('records'),
    stopServing: async () => void this.served.delete('records'),
    handOver: async () => {
      this.handedOver.push(this.store.records)
      this.isTaken && this.store.clear()
    }
  })

  async start(): Promise<void> {
    await this.standIn.follow(this.stopping.signal)
    this.routing.addConnected(SERVER, 'a host')
  }

  /** Connects another page that stands in. */
  meet(page: PeerId, address = `/webrtc/p2p/${page}`): void {
    const connection = { remoteAddr: multiaddr(address) } as Connection
    this.#topology?.onConnect?.(page, connection)
  }

  part(page: PeerId): void {
    this.#topology?.onDisconnect?.(page)
  }

  loseServer(): void {
    this.routing.removeConnected(SERVER)
    this.routing.remove(SERVER)
  }

  /** Waits until a change has been made. */
  async until(isSo: () => boolean): Promise<void> {
    await vi.waitUntil(isSo, { interval: 1, timeout: 10_000 })
  }

  #registrar(): Registrar {
    return {
      register: async (_: string, topology: Topology) => {
        this.#topology = topology
        return 'topology'
      },
      unregister: () => {},
      handle: async (protocol: string) => void this.served.add(protocol),
      unhandle: async (protocol: string) => void this.served.delete(protocol)
    } as unknown as Registrar
  }
}

describe('a page that may stand in', () => {
  let scene: PageScene

  beforeEach(async () => {
    scene = new PageScene()
    await scene.start()
  })

  afterEach(() => scene.stopping.abort())

  function remember(value: string): void {
    scene.cache.apply(KEY, plainRecord(value, getDHTTime() + 60))
  }

  /** Loses the server, and meets a page. */
  async function standIn(): Promise<void> {
    scene.loseServer()
    await scene.until(() => scene.served.size === 2)
    scene.meet(PAGE)
  }

  it('is a client while any server is left (N15)', async () => {
    scene.routing.addConnected(OTHER, 'another host')
    scene.meet(PAGE)
    scene.loseServer()
    scene.routing.removeConnected(OTHER)
    // It is not connected, but it has not left.
    expect(scene.routing.has(OTHER)).toBe(true)
    await Promise.resolve()
    expect(scene.served.size).toBe(0)
    expect(scene.standIn.isReplica).toBe(false)
    expect(scene.routing.has(PAGE)).toBe(false)
  })

  it('is no replica before it meets another page (N15)', async () => {
    scene.loseServer()
    await scene.until(() => scene.served.size === 2)
    expect(scene.served).toEqual(new Set(['records', '/waggle/page/1.0.0']))
    expect(scene.standIn.isReplica).toBe(false)
    scene.meet(PAGE)
    expect(scene.standIn.isReplica).toBe(true)
    expect(scene.routing.has(PAGE)).toBe(true)
    scene.part(PAGE)
    expect(scene.routing.size).toBe(0)
    expect(scene.standIn.isReplica).toBe(true)
  })

  it('copies what it knows, and forgets it when a server has all (N15)', async () => {
    remember('known')
    await standIn()
    expect(scene.store.records).toBe(1)
    scene.routing.addConnected(SERVER, 'a host')
    await scene.until(() => scene.store.records === 0)
    expect(scene.handedOver).toEqual([1])
    expect(scene.served.size).toBe(0)
    expect(scene.standIn.isReplica).toBe(false)
    expect(scene.routing.members().map(({ contact }) => contact.id)).toEqual([SERVER])
  })

  it('says that servers may hold what it lacks, unless they said goodbye (N15)', async () => {
    await standIn()
    expect(scene.standIn.mayLack).toBe(true)
    scene.routing.addConnected(SERVER, 'a host')
    await scene.until(() => !scene.standIn.isReplica)
    expect(scene.standIn.mayLack).toBe(false)
    scene.routing.leave(SERVER)
    await scene.until(() => scene.served.size === 2)
    scene.meet(PAGE)
    expect(scene.standIn.isReplica).toBe(true)
    expect(scene.standIn.mayLack).toBe(false)
  })

  it('takes no server for a page, whatever it claims (N15)', async () => {
    scene.meet(SERVER, `/ip4/127.0.0.1/tcp/1/ws/p2p/${SERVER}`)
    scene.meet(PAGE)
    expect(scene.standIn.isPage(SERVER)).toBe(false)
    scene.events.safeDispatchEvent('peer:disconnect', { detail: OTHER })
    await Promise.resolve()
    expect(scene.served.size).toBe(0)
  })

  it('keeps what no server has taken, and goes on if that one is lost again (N15)', async () => {
    remember('known')
    await standIn()
    scene.isTaken = false
    scene.routing.addConnected(SERVER, 'a host')
    await scene.until(() => scene.handedOver.length > 0)
    expect(scene.store.records).toBe(1)
    scene.loseServer()
    await scene.until(() => scene.standIn.isReplica)
    expect(scene.store.records).toBe(1)
    expect(scene.routing.has(PAGE)).toBe(true)
  })
})
