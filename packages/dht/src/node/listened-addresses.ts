import type { Libp2pEvents, Startable, TypedEventTarget } from '@libp2p/interface'
import type { AddressManager, TransportManager } from '@libp2p/interface-internal'

export interface ListenedAddressesComponents {
  readonly addressManager: AddressManager
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly transportManager: TransportManager
}

/**
 * Announces all addresses that a node listens on. libp2p withholds public ones until several peers
 * in different networks have confirmed them (AutoNAT), so a bootstrap node on a public address
 * would have no address that others could pass on.
 */
export function listenedAddresses(): (components: ListenedAddressesComponents) => Startable {
  return ({ addressManager, events, transportManager }) => {
    const confirm = (): void => {
      for (const address of transportManager.getAddrs()) {
        try {
          addressManager.confirmObservedAddr(address, { type: 'transport' })
        } catch {
          // An address of another kind, such as one within the process, which libp2p does not withhold.
        }
      }
    }

    return {
      start: () => events.addEventListener('transport:listening', confirm),
      stop: () => events.removeEventListener('transport:listening', confirm)
    }
  }
}
