import type { Connection } from '@libp2p/interface'
import type { ConnectionManager, TransportManager } from '@libp2p/interface-internal'
import { isMultiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { doorOf } from '../door/door.ts'
import { overriding } from '../door/overriding.ts'
import { dialsTo, hasHostName, isAddressList } from '../wire/host-names.ts'
import { MAX_DIALLED_ADDRESSES } from '../wire/limits.ts'

interface DialComponents {
  readonly connectionManager: ConnectionManager
  readonly events: object
}

/**
 * Wraps a connection manager for services that dial addresses from peers: a few addresses each time, which count
 * towards the node's limit on such dials (N9h).
 */
export function limitedDials(components: DialComponents): ConnectionManager {
  const door = doorOf(components)
  const { connectionManager } = components
  return overriding<ConnectionManager>(connectionManager, {
    openConnection: async (target, options): Promise<Connection> => {
      const addresses = fewOf(target)

      if (addresses !== undefined && !door.dials.tryTake(dialsTo(addresses), 1)) {
        throw new Error('too many addresses from other peers are being dialled')
      }

      return connectionManager.openConnection(addresses ?? target, options)
    }
  })
}

/** A few of the addresses; undefined for a peer id, whose addresses are known. */
function fewOf(
  target: Parameters<ConnectionManager['openConnection']>[0]
): Multiaddr[] | undefined {
  const addresses = isMultiaddr(target) ? [target] : target
  return Array.isArray(addresses)
    ? addresses.filter((address) => !isAddressList(address)).slice(0, MAX_DIALLED_ADDRESSES)
    : undefined
}

/**
 * Wraps a transport manager for services that dial addresses from peers. Refuses host names, which may resolve to
 * any host, including this machine.
 */
export function withoutNames(transportManager: TransportManager): TransportManager {
  return overriding<TransportManager>(transportManager, {
    dialTransportForMultiaddr: (address) =>
      hasHostName(address) ? undefined : transportManager.dialTransportForMultiaddr(address)
  })
}
