import { DEFAULT_NETWORK } from '@waggle/record/replica'

/** Returns a protocol's id in a network, given its id in the default network. */
export function protocolIdIn(network: string, defaultId: string): string {
  return network + defaultId.slice(DEFAULT_NETWORK.length)
}
