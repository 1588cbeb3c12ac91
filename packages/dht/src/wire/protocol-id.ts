import { DEFAULT_NETWORK } from '@waggle/record/replica'

/** Returns the id in a network of a protocol that has this id in the default network. */
export function protocolIdIn(network: string, defaultId: string): string {
  return network + defaultId.slice(DEFAULT_NETWORK.length)
}
