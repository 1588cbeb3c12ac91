/** The network of nodes that are given no `protocol`. */
export const DEFAULT_NETWORK = '/waggle'

/** The end of kad-dht's protocol in most networks. The part before it names the network. */
const KAD_SUFFIX = '/kad/1.0.0'

/** The network that a record belongs to. */
export interface NetworkOptions {
  /**
   * The network's name, which `networkOf` gives. Owners sign it with each entry, so a signature is valid in one
   * network only.
   *
   * @default '/waggle'
   */
  readonly network?: string | undefined
}

/**
 * Returns the name of the network that has this protocol of kad-dht: `/my-app` for
 * `/my-app/kad/1.0.0`. A protocol of another form gives its whole self and a slash, `/my-dht/` for
 * `/my-dht`, so that no two networks share a name.
 */
export function networkOf(protocol: string): string {
  const isUsual = protocol.endsWith(KAD_SUFFIX) && protocol.length > KAD_SUFFIX.length
  return isUsual ? protocol.slice(0, -KAD_SUFFIX.length) : `${protocol}/`
}
