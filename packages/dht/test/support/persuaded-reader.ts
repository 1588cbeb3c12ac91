import { Record as Libp2pRecord } from '@libp2p/kad-dht'
import { type DHTRecord, encodeRecord, type Found, view } from '@waggle/record'
import { Key } from 'interface-datastore'
import { toString as stringOf } from 'uint8arrays/to-string'
import { DEFAULT_NUM_REPLICAS } from '../../src/constants.ts'
import { GatewayServer } from '../../src/gateway/gateway-server.ts'
import { mergingDatastore } from '../../src/kad/merging-datastore.ts'
import { LiveWatch } from '../../src/live/live-watch.ts'
import { Journal } from '../../src/persistence/journal.ts'
import { restore } from '../../src/persistence/restore.ts'
import { cachePolicy } from '../../src/reading/cache-policy.ts'
import { CachedReads } from '../../src/reading/cached-reads.ts'
import { nameOf, RecordStore } from '../../src/store/record-store.ts'
import { ACTIVE } from './cancellation.ts'
import { turns } from './end-of-turn.ts'
import { serving, storeRequest } from './exchange-serving.ts'
import type { StreamSource } from './exchange-streams.ts'
import { GatedDisk } from './gated-disk.ts'
import { manualClock } from './manual-clock.ts'
import { mapDatastore } from './map-datastore.ts'
import { peerNumber } from './numbered-peers.ts'
import { silentLog } from './silent-log.ts'
import { Simulation, type SimulationOptions, START } from './simulated-replicas.ts'
import { SimulatedWatches } from './simulated-watches.ts'
import { KEY } from './watch-scene.ts'

/**
 * All ways by which a peer's bytes reach a node. A hand-over is a STORE, whoever sends it, and a WebSocket carries
 * the same messages. The node's HTTP server passes on calls of the application only.
 */
export const WAYS = [
  ...(['STORE', 'copy', 'PUT_VALUE', 'CHANGED', 'start', 'answers'] as const),
  ...(['READ of a gateway', 'WRITE of a gateway', 'CHANGED for others'] as const)
] as const
export type Way = (typeof WAYS)[number]

export interface ReaderOptions extends SimulationOptions {
  readonly hasCache: boolean

  /** The option `cache.locally`. */
  readonly isLocal: boolean
}

/** A value that a read or a running watch shows. */
type Shown = Found['value'] | undefined

/** A node that reads one key while other peers try to deceive it. */
export class PersuadedReader implements AsyncDisposable {
  readonly net: Simulation
  readonly #source: StreamSource
  readonly #reads: CachedReads
  readonly #watches: SimulatedWatches
  readonly #copies: RecordStore | undefined
  readonly #lifetime = new AbortController()

  /** The values that watches have delivered. */
  readonly delivered: Shown[] = []

  constructor(source: StreamSource, { hasCache, isLocal, ...options }: ReaderOptions) {
    const clock = manualClock(START)
    const cache = hasCache ? new RecordStore({ clock }) : undefined
    this.#source = source
    this.#copies = hasCache ? new RecordStore({ clock }) : undefined
    this.net = new Simulation(KEY, { clock, cache, ...options })
    const { replicas } = this.net
    const policy = cachePolicy({ locally: isLocal })
    this.#reads = new CachedReads({ replicas, policy, log: silentLog })
    this.#watches = new SimulatedWatches(this.net, (...learned) =>
      this.#reads.onWatched(...learned)
    )
  }

  /** Sends a record to the node, or to the peers that are no replicas. */
  async push(way: Way, record: DHTRecord): Promise<void> {
    const { peers, self } = this.net

    switch (way) {
      case 'STORE':
      case 'copy':
        return this.#say(record, way === 'copy')
      case 'PUT_VALUE':
        return this.#put(record)
      case 'CHANGED':
        return this.#watches.watches.onChange({ key: KEY }, record)
      case 'CHANGED for others':
        return this.#forward(record)
      case 'READ of a gateway':
      case 'WRITE of a gateway':
        return this.#askGateway(record, way)
      case 'start':
        return this.#restore(record)
      default:
        for (const peer of peers.slice(DEFAULT_NUM_REPLICAS).filter((peer) => peer !== self)) {
          peer.store.apply(KEY, record)
        }
    }
  }

  /** Replaces the record at all replicas. */
  replace(record: DHTRecord): void {
    for (const { store } of this.net.peers.slice(0, DEFAULT_NUM_REPLICAS)) {
      store.apply(KEY, record)
    }
  }

  async get(latest: boolean): Promise<Shown> {
    const record = await this.#reads.read(KEY, { cancellation: ACTIVE, latest })
    await turns(5)
    return view(record, this.net.clock())?.value
  }

  /** Starts a watch. Resolves when its first value has arrived, if there is any. */
  async watch(): Promise<void> {
    const { signal: lifetime } = this.#lifetime
    const source = this.#watches.watches.statesOf(KEY)
    const watching = new LiveWatch({ source, lifetime, clock: this.net.clock })
    void (async () => {
      for await (const { current } of watching) {
        this.delivered.push(current?.value)
      }
    })()
    await turns(20)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lifetime.abort(new Error('the test is over'))
    this.#watches.watches.stop()
    this.#reads.close()
  }

  async #say(record: DHTRecord, isCacheOnly: boolean): Promise<void> {
    const { store } = this.net.self
    const { talker } = await serving(this.#source, {
      held: store,
      ...(this.#copies && { copies: this.#copies })
    })
    talker.say(storeRequest([['key', record]], { isCacheOnly }))
    await talker.hear('stored')
    talker.stream.abort(new Error('done'))
  }

  /** Watches the key for another peer, and receives an old record. */
  async #forward(record: DHTRecord): Promise<void> {
    const { watches } = this.#watches
    const stranger = { peer: 'stranger', role: 'remote' } as const
    watches.forwarded.begin(nameOf(KEY), () => {}, stranger)
    watches.onChange({ key: KEY }, record)
    await turns(20)
    watches.forwarded.end(nameOf(KEY))
  }

  /** Reads or writes on behalf of a client, as a gateway. */
  async #askGateway(record: DHTRecord, way: Way): Promise<void> {
    const { replicas, self } = this.net
    const server = new GatewayServer({
      ...{ replicas, store: self.store, numReplicas: 5, log: silentLog }
    })
    const client = server.serve({ countHeldBytes() {} }, peerNumber(99))
    const response = await client.respond(
      way === 'READ of a gateway'
        ? { name: 'read', id: 1, isLatest: false, keys: [{ key: KEY }] }
        : { name: 'write', id: 1, writes: [{ key: KEY, record: encodeRecord(record) }] }
    )

    for (let step = response?.reply.next(); step !== undefined; step = response?.reply.next()) {
      if (step.done === true) {
        await step.value
        return
      }
    }
  }

  async #put(record: DHTRecord): Promise<void> {
    const datastore = mergingDatastore(mapDatastore(), this.net.self.store, '/dht')
    const key = new Key(`/dht/record/${stringOf(KEY, 'base32')}`, false)
    const value = new Libp2pRecord(KEY, encodeRecord(record), new Date(0)).serialize()
    // It throws where something better is stored, which tells the sender.
    await Promise.resolve(datastore.put(key, value)).catch(() => {})
  }

  async #restore(record: DHTRecord): Promise<void> {
    const { store } = this.net.self
    const disk = new GatedDisk()
    disk.records.set(nameOf(KEY), encodeRecord(record))
    const onStateChange = (): void => {}
    await restore(
      disk,
      store,
      new Journal({ disk, store, durability: 'written', log: silentLog, onStateChange })
    )
  }
}
