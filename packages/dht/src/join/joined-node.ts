import { AbortError, type Libp2p, type ServiceMap } from '@libp2p/interface'
import type { RecordValidator } from '@waggle/record'
import { setMaxListeners } from 'main-event'
import { startNode } from '../node/node.ts'
import { whenRelayed } from '../node/relayed-address.ts'
import type { Settings } from '../node/settings.ts'
import { findWaggle } from '../service/find-waggle.ts'
import type { Waggle } from '../service/service-interface.ts'
import { anySignal, timeoutSignal } from '../timing/deadline.ts'
import { wait } from '../timing/wait.ts'
import { type JoinResult, join } from './join.ts'

/** Milliseconds that a stopping node waits for its known peers to be saved. */
const MAX_FLUSH_MS = 2000

interface JoinedNodeInit {
  readonly node: Libp2p<ServiceMap>
  readonly waggle: Waggle

  /** Whether the application created the node, which then outlives its membership. */
  readonly isBorrowed: boolean
}

/** A node that has joined its network: one that was started for it, or an application's own. */
export class JoinedNode {
  readonly node: Libp2p<ServiceMap>
  readonly waggle: Waggle
  readonly #isBorrowed: boolean
  readonly #lifetime = new AbortController()

  /** Validators added since it joined, which a borrowed node has to lose again. */
  readonly #validators: RecordValidator[] = []
  #membership: JoinResult | undefined

  private constructor({ node, waggle, isBorrowed }: JoinedNodeInit) {
    this.node = node
    this.waggle = waggle
    this.#isBorrowed = isBorrowed
    // Each operation in progress, such as a dial, adds a listener.
    setMaxListeners(Number.POSITIVE_INFINITY, this.#lifetime.signal)
  }

  /** Starts a node, or takes the given one, and joins the network. On failure, stops what it started and rejects. */
  static async join(settings: Settings): Promise<JoinedNode> {
    settings.signal?.throwIfAborted()
    const { libp2p } = settings
    const joined = new JoinedNode(
      libp2p ? borrow(libp2p) : { ...withWaggle(await startNode(settings)), isBorrowed: false }
    )

    try {
      await joined.#join(settings)
      return joined
    } catch (error) {
      await joined.stop()
      throw error
    }
  }

  /** Aborted when the node is stopped, or given back. */
  get lifetime(): AbortSignal {
    return this.#lifetime.signal
  }

  /** The reasons why no initial peer answered, if none did and none was required. */
  get failure(): JoinResult['failure'] {
    return this.#membership?.failure
  }

  addValidators(added: readonly RecordValidator[]): void {
    this.lifetime.throwIfAborted()
    this.waggle.addValidators(...added)
    this.#validators.push(...added)
  }

  /** Leaves the network, and stops the node unless it was given. */
  async stop(): Promise<void> {
    this.#lifetime.abort(new AbortError('the DHT was stopped'))

    if (this.#isBorrowed) {
      this.waggle.removeValidators(...this.#validators)
    }

    // A hanging disk does not prevent a node from stopping.
    await Promise.race([this.#membership?.flush(), wait(MAX_FLUSH_MS)])

    if (!this.#isBorrowed) {
      await this.node.stop()
    }
  }

  async #join(settings: Settings): Promise<void> {
    const { lifetime, node, waggle } = this
    this.#membership = await join({
      ...settings,
      ...{ node, waggle, memory: waggle.peerMemory, lifetime }
    })
    await (settings.relay && waitForRelay(node, settings))

    if (this.#isBorrowed) {
      this.addValidators(settings.validators)
    }
  }
}

function borrow(node: Libp2p<ServiceMap>): JoinedNodeInit {
  if (node.status !== 'started') {
    throw new TypeError(`libp2p: the node is ${node.status}: start it first`)
  }

  return { ...withWaggle(node), isBorrowed: true }
}

function withWaggle(node: Libp2p<ServiceMap>): Omit<JoinedNodeInit, 'isBorrowed'> {
  const waggle = findWaggle(node.services)

  if (waggle === undefined) {
    throw new TypeError(
      'libp2p: the node has no Waggle service: add dht: waggleKadDHT() and waggle: waggle() to its services'
    )
  }

  return { node, waggle }
}

/**
 * Waits a while for a relay. Without one other peers cannot dial the node, which works otherwise and keeps
 * searching.
 */
async function waitForRelay(
  node: Libp2p<ServiceMap>,
  { signal, requestTimeoutMs }: Settings
): Promise<void> {
  try {
    await whenRelayed(node, { signal: anySignal(signal, timeoutSignal(requestTimeoutMs)) })
  } catch (error) {
    signal?.throwIfAborted()
    node.logger
      .forComponent('waggle:relay')
      .error(
        'WARNING: no connected peer is a relay (serveRelay), so other peers cannot dial this node yet - %e',
        error
      )
  }
}
