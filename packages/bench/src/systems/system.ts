/** Where a node is to live, and whom it joins. */
export interface Place {
  /** Host to listen on and to be reached at. */
  readonly host: string

  /** Addresses of nodes of the network, as {@link Server.address} has them; none for its first node. */
  readonly bootstrap: readonly string[]
}

/** A node that has joined. */
export interface Node {
  /** Resolves when it knows enough of a network of so many servers for its searches to be normal. */
  settle(servers: number): Promise<void>
  stop(): Promise<void>
}

/** A node that holds values for others. */
export interface Server extends Node {
  readonly address: string
}

/** A node that only reads and writes. */
export interface Client extends Node {
  /** Makes what an application would have before it stores or gets, such as key pairs. */
  prepare?(key: string, value: Uint8Array): void

  /** True if it was stored. */
  store(key: string, value: Uint8Array): Promise<boolean>

  /** The first good answer. */
  get(key: string): Promise<Uint8Array | undefined>

  /** The newest of what the replicas hold. Absent where there is no such choice. */
  latest?(key: string): Promise<Uint8Array | undefined>

  /**
   * Hears of the value under a key as it changes, until the function that is given back is called. Absent
   * where a system tells nobody.
   */
  watch?(key: string, onValue: (value: Uint8Array | undefined) => void): () => void

  /** Absent where a system has no bulk operations. */
  storeMany?(entries: Iterable<Entry>): Promise<boolean[]>
  getMany?(keys: Iterable<string>): Promise<(Uint8Array | undefined)[]>
}

export interface Entry {
  readonly key: string
  readonly value: Uint8Array
}

/** A distributed dictionary of the npm registry, as the scenarios drive it. */
export interface System {
  startServer(place: Place): Promise<Server>
  startClient(place: Place): Promise<Client>
}
