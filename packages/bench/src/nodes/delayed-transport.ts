import { setTimeout as passed } from 'node:timers/promises'
import {
  type AbortOptions,
  type MultiaddrConnection,
  type Transport,
  transportSymbol,
  type Upgrader
} from '@libp2p/interface'
import { AbstractMultiaddrConnection, type SendResult } from '@libp2p/utils'
import { DelayLine } from './delay-line.ts'

/**
 * Delays a transport: every byte arrives later, and connecting takes a round trip. The bandwidth stays
 * unlimited.
 */
export function delayedTransport<C>(
  transport: (components: C) => Transport,
  oneWayMs: number
): (components: C) => Transport {
  const line = new DelayLine(oneWayMs)

  return (components) => {
    const near = transport(components)

    return {
      [transportSymbol]: true,
      [Symbol.toStringTag]: near[Symbol.toStringTag],
      async dial(address, options) {
        await passed(2 * oneWayMs, undefined, { signal: options.signal })
        return near.dial(address, { ...options, upgrader: delayedUpgrader(options.upgrader, line) })
      },
      createListener: (options) =>
        near.createListener({ ...options, upgrader: delayedUpgrader(options.upgrader, line) }),
      listenFilter: (addresses) => near.listenFilter(addresses),
      dialFilter: (addresses) => near.dialFilter(addresses)
    }
  }
}

/** Delays the raw connections that a transport hands to its upgrader. */
function delayedUpgrader(upgrader: Upgrader, line: DelayLine): Upgrader {
  const overrides: Pick<Upgrader, 'upgradeInbound' | 'upgradeOutbound'> = {
    upgradeInbound: (connection, options) =>
      upgrader.upgradeInbound(new DelayedConnection(connection, line), options),
    upgradeOutbound: (connection, options) =>
      upgrader.upgradeOutbound(new DelayedConnection(connection, line), options)
  }

  return new Proxy(upgrader, {
    get(target, name) {
      const member = Reflect.get(target, name)
      const own = typeof member === 'function' ? member.bind(target) : member
      return Reflect.get(overrides, name) ?? own
    }
  })
}

/** A connection that delays the delivery of received bytes. */
class DelayedConnection extends AbstractMultiaddrConnection {
  readonly #connection: MultiaddrConnection

  constructor(connection: MultiaddrConnection, line: DelayLine) {
    const { remoteAddr, direction, log } = connection
    super({ remoteAddr, direction, log })
    this.#connection = connection

    connection.addEventListener('message', ({ data }) => line.send(() => this.onData(data)))
    connection.addEventListener('drain', () => this.safeDispatchEvent('drain'))
    connection.addEventListener('close', ({ error }) =>
      line.send(() => this.onTransportClosed(error))
    )
  }

  /** Drops data that is sent before the delayed close of the connection arrives. */
  override sendData(data: Parameters<MultiaddrConnection['send']>[0]): SendResult {
    const isLost = this.#connection.status !== 'open'
    return { sentBytes: data.byteLength, canSendMore: isLost || this.#connection.send(data) }
  }

  override async sendClose(options?: AbortOptions): Promise<void> {
    await this.#connection.close(options)
  }

  override sendReset(error: Error): void {
    this.#connection.abort(error)
  }

  override sendPause(): void {
    this.#connection.pause()
  }

  override sendResume(): void {
    this.#connection.resume()
  }
}
