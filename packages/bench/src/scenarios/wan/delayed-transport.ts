import { setTimeout as waited } from 'node:timers/promises'
import { type Transport, transportSymbol, type Upgrader } from '@libp2p/interface'
import { DelayLine } from './delay-line.ts'
import { DelayedConnection } from './delayed-connection.ts'

/**
 * The same transport over a long way: every byte arrives so much later, and connecting takes
 * a round trip. How much travels at once is not limited.
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
        await waited(2 * oneWayMs, undefined, { signal: options.signal })
        return near.dial(address, { ...options, upgrader: delayedUpgrader(options.upgrader, line) })
      },
      createListener: (options) =>
        near.createListener({ ...options, upgrader: delayedUpgrader(options.upgrader, line) }),
      listenFilter: (addresses) => near.listenFilter(addresses),
      dialFilter: (addresses) => near.dialFilter(addresses)
    }
  }
}

/** What a transport hands its raw connections to. */
function delayedUpgrader(upgrader: Upgrader, line: DelayLine): Upgrader {
  const overrides: Pick<Upgrader, 'upgradeInbound' | 'upgradeOutbound'> = {
    upgradeInbound: (connection, options) =>
      upgrader.upgradeInbound(new DelayedConnection(connection, line), options),
    upgradeOutbound: (connection, options) =>
      upgrader.upgradeOutbound(new DelayedConnection(connection, line), options)
  }

  return new Proxy(upgrader, {
    get: (target, name) => Reflect.get(overrides, name) ?? bound(Reflect.get(target, name), target)
  })
}

function bound(member: unknown, owner: object): unknown {
  return typeof member === 'function' ? member.bind(owner) : member
}
