import { DEFAULT_NETWORK } from '@waggle/record/replica'

/** Returns a protocol's id in a network, given its id in the default network. */
export function protocolIdIn(network: string, defaultId: string): string {
  return network + defaultId.slice(DEFAULT_NETWORK.length)
}

/** Finds a protocol of a peer that is another revision of `own`. */
export function otherRevision(protocols: readonly string[], own: string): string | undefined {
  const name = own.slice(0, own.lastIndexOf('/') + 1)
  return protocols.includes(own) ? undefined : protocols.find((id) => id.startsWith(name))
}
