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
 * A connection manager for services that dial whatever a peer names: a few addresses each time, which
 * count towards the node's limit on such dials (N9h).
 */
export function limitedDials(components: DialComponents): ConnectionManager {
  const door = doorOf(components)
  const { connectionManager } = components
  return overriding<ConnectionManager>(connectionManager, {
    openConnection: async (target, options): Promise<Connection> => {
      const addresses = fewOf(target)

      if (addresses !== undefined && !door.dials.tryTake(dialsTo(addresses), 1)) {
        throw new Error('too many addresses that others have named are dialled already')
      }

      return connectionManager.openConnection(addresses ?? target, options)
    }
  })
}

/** Undefined for a peer id: its addresses are known. */
function fewOf(
  target: Parameters<ConnectionManager['openConnection']>[0]
): Multiaddr[] | undefined {
  const addresses = isMultiaddr(target) ? [target] : target
  return Array.isArray(addresses)
    ? addresses.filter((address) => !isAddressList(address)).slice(0, MAX_DIALLED_ADDRESSES)
    : undefined
}

/** A transport manager for services that dial whatever a peer names: names may lead anywhere, this machine included. */
export function withoutNames(transportManager: TransportManager): TransportManager {
  return overriding<TransportManager>(transportManager, {
    dialTransportForMultiaddr: (address) =>
      hasHostName(address) ? undefined : transportManager.dialTransportForMultiaddr(address)
  })
}
