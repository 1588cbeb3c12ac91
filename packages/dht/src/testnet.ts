import { SEARCH_WIDTH } from './constants.ts'
import { DHT } from './dht.ts'
import { TimeoutError } from './errors.ts'
import type { DHTOptions } from './node/options.ts'

/** A network of nodes that know each other. */
export interface Testnet extends AsyncDisposable {
  /** The nodes. The first one is the initial peer of all others. */
  readonly nodes: readonly DHT[]

  /** Adds a node to the network. */
  add(options?: DHTOptions): Promise<DHT>

  /** Stops all nodes. */
  stop(): Promise<void>
}

/**
 * Starts a network of nodes in this process, on free loopback ports, for tests: `await using net = await
 * testnet(8)`. Resolves when each node can be found from every other.
 */
export async function testnet(count: number, options: DHTOptions = {}): Promise<Testnet> {
  const net = new LocalTestnet(options)

  try {
    await net.grow(count)
    return net
  } catch (error) {
    await net.stop()
    throw error
  }
}

/** Milliseconds allowed for the nodes to find each other. */
const SETTLE_TIMEOUT_MS = 60_000
const SETTLE_POLL_MS = 20

class LocalTestnet implements Testnet {
  readonly nodes: DHT[] = []
  readonly #options: DHTOptions

  constructor(options: DHTOptions) {
    this.#options = options
  }

  async grow(count: number): Promise<void> {
    if (!Number.isInteger(count) || count < 1) {
      throw new TypeError(`the size of a testnet must be an integer from 1 up, got ${count}`)
    }

    // One after another: many at once on one thread would only delay each other until they time out.
    for (let i = 0; i < count; i++) {
      await this.#create({})
    }

    await this.#settle()
  }

  async add(options: DHTOptions = {}): Promise<DHT> {
    const node = await this.#create(options)
    await this.#settle()
    return node
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.splice(0).map((node) => node.stop()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #create(options: DHTOptions): Promise<DHT> {
    const initialPeers = this.nodes[0]?.multiaddrs ?? []
    const node = await DHT.create({ initialPeers, ...this.#options, ...options })
    this.nodes.push(node)
    return node
  }

  /** Lets each node look up its neighbourhood, so that all neighbours know each other. */
  async #settle(): Promise<void> {
    const servers = this.nodes.filter(({ clientMode }) => !clientMode).length
    const enough = Math.min(servers - 1, SEARCH_WIDTH)
    const isLonely = (node: DHT): boolean => node.stats().knownPeers < enough

    for (const start = performance.now(); this.nodes.some(isLonely); ) {
      if (performance.now() - start > SETTLE_TIMEOUT_MS) {
        const known = this.nodes.map((node) => node.stats().knownPeers)
        throw new TimeoutError(
          `the nodes know ${known} peers after ${SETTLE_TIMEOUT_MS} ms, not ${enough}`
        )
      }

      for (const node of this.nodes.filter(isLonely)) {
        await lookUpNeighbours(node)
      }

      await new Promise((resolve) => setTimeout(resolve, SETTLE_POLL_MS))
    }

    // Once more, so that no node is avoided for having been slow while the others joined.
    for (const node of this.nodes) {
      await lookUpNeighbours(node)
    }
  }
}

async function lookUpNeighbours(node: DHT): Promise<void> {
  await node.findNearestPeers(node.peerId.toString(), { count: SEARCH_WIDTH })
}
