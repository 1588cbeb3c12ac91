import type { PeerId, PeerInfo } from '@libp2p/interface'
import type { UnreachableError } from '../errors.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import { KeyForwarders } from './key-forwarders.ts'
import { RENEWALS_PER_CHECK, SEEK_MS } from './limits.ts'
import { type NotifiersInit, ReplicaNotifiers, watchAt } from './replica-notifiers.ts'
import type { ForwardRole } from './watch-messages.ts'

/**
 * The peers that notify this node of one key, or of one subkey: its nearest peers, or two gateways if too few of these can
 * be reached, or two forwarders if fewer than two have room. Forwarders spare replicas a renewal, so these are asked rarely, one at a time: for
 * whatever forwarders hold back, and whether there is room again.
 */
export class Notifiers implements CancellationToken {
  readonly replicas: ReplicaNotifiers
  readonly #init: NotifiersInit
  readonly #forwarders: KeyForwarders
  readonly #gateways: KeyForwarders
  #renewals = 0
  #soughtMs = Number.NEGATIVE_INFINITY

  isCancelled = false

  constructor(init: NotifiersInit) {
    const { node, place } = init
    this.#init = init
    this.replicas = new ReplicaNotifiers({
      ...init,
      cancellation: this,
      isGateway: (name) => this.#gateways.has(name)
    })
    this.#forwarders = new KeyForwarders({
      ask: (forwarder) => this.#askForwarder(forwarder, 'dependant'),
      unwatch: (forwarder) => node.channel.unwatch(forwarder, place)
    })
    this.#gateways = new KeyForwarders({
      ask: (gateway) => this.#askForwarder(gateway, 'remote'),
      unwatch: (gateway) =>
        this.replicas.has(gateway.id.toString()) || node.channel.unwatch(gateway, place)
    })
  }

  /** Whether any replica notifies at once. Only then can others rely on this node. */
  get isToldByReplicas(): boolean {
    return this.replicas.countPrompt > 0
  }

  /** Whether any peer notifies at once. */
  get isPrompt(): boolean {
    return this.isToldByReplicas || this.#forwarders.size > 0 || this.#gateways.size > 0
  }

  /** Renews what forwarders notify of. Returns whether that is enough for now. */
  async renewForwarders(): Promise<boolean> {
    if (this.replicas.isForwarder || this.#forwarders.size === 0) {
      return false
    }

    await this.#forwarders.renew()
    const isCheckDue = ++this.#renewals % RENEWALS_PER_CHECK === 0
    return this.#forwarders.isComplete && !(isCheckDue && (await this.replicas.isAnyNeeded()))
  }

  /**
   * Has the nearest peers notify from now on, and gateways if too few of these respond (N14). Resolves with an
   * error in this case.
   */
  async askAll(): Promise<{ error: UnreachableError | undefined; isByGateways: boolean }> {
    const isEarly = this.#init.node.gateways?.isNeeded(this.#init.place.key) === true

    if (isEarly) {
      await this.#askGateways()
    }

    const error = await this.replicas.askAll()

    if (error === undefined) {
      this.#gateways.drop()
    } else if (!isEarly) {
      await this.#askGateways()
    }

    return { error, isByGateways: this.#gateways.size > 0 }
  }

  /**
   * Finds forwarders if too few of the nearest peers notify at once because they are full. If there are
   * none, they are not looked for at each poll.
   */
  async findForwarders(): Promise<void> {
    if (!this.replicas.isFull || this.isCancelled) {
      this.#forwarders.drop()
      return
    }

    if (performance.now() - this.#soughtMs >= SEEK_MS) {
      this.#forwarders.offer(this.replicas.namedForwarders())
      await this.#forwarders.renew()
      this.#soughtMs = this.#forwarders.size > 0 ? Number.NEGATIVE_INFINITY : performance.now()
    }

    if (this.#forwarders.isComplete) {
      this.replicas.keep([])
    }
  }

  /** Takes note that a peer notifies no more. Returns whether it did until now. */
  lose(peer: PeerId): boolean {
    const name = peer.toString()
    const wasForwarder = [this.#forwarders, this.#gateways].some((ones) => ones.lose(name))
    return this.replicas.forget(name) || wasForwarder
  }

  /** Whether a peer should notify, and was not asked. */
  isNewReplica(peer: PeerId): boolean {
    return this.#forwarders.size === 0 && this.replicas.isNew(peer)
  }

  /** Wants to know no more. */
  stop(): void {
    this.isCancelled = true
    this.replicas.keep([])
    this.#forwarders.drop()
    this.#gateways.drop()
  }

  /** Has gateways watch the key for this node. */
  async #askGateways(): Promise<void> {
    const { node, place } = this.#init
    this.#gateways.offer(node.gateways?.gatewaysFor(place.key) ?? [])
    await this.#gateways.renew()
  }

  /** Has a peer watch the key for this node. Resolves with whether it does. */
  async #askForwarder(peer: PeerInfo, role: ForwardRole): Promise<boolean> {
    const { learn, node, place } = this.#init

    try {
      const asked = watchAt(peer, role, { ...this.#init, cancellation: this })
      const { isWatched, record } = await node.inTime(peer, asked)
      record && learn(record)
      isWatched && this.isCancelled && node.channel.unwatch(peer, place)
      return isWatched && !this.isCancelled
    } catch {
      return false
    }
  }
}
