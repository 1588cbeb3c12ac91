/** Host of a node, and the network that it joins. */
export interface Place {
  /** Host to listen on and to be reached at. */
  readonly host: string

  /** Addresses of the network's nodes, as {@link Server.address} has them; none for its first node. */
  readonly bootstrap: readonly string[]
}

/** A node that has joined. */
export interface Node {
  /** Resolves when the node knows enough of a network of `servers` servers for normal lookups. */
  settle(servers: number): Promise<void>
}

/** A node that holds values for others. */
export interface Server extends Node {
  readonly address: string
}

/** A node that only reads and writes. Optional methods are absent if the system has no such operation. */
export interface Client extends Node {
  /** Makes anything that an application has before it stores or gets, such as key pairs. */
  prepare?(key: string, value: Uint8Array): void

  /** Resolves with whether the value was stored. */
  store(key: string, value: Uint8Array): Promise<boolean>

  /** Resolves with the first valid reply. */
  get(key: string): Promise<Uint8Array | undefined>

  /** Resolves with the newest value that the replicas hold. */
  latest?(key: string): Promise<Uint8Array | undefined>

  /** Calls back with each new value of the key. */
  watch?(key: string, onValue: (value: Uint8Array | undefined) => void): void
  storeMany?(entries: Iterable<Entry>): Promise<boolean[]>
  getMany?(keys: Iterable<string>): Promise<(Uint8Array | undefined)[]>
}

export interface Entry {
  readonly key: string
  readonly value: Uint8Array
}

/** A distributed dictionary that runs in Node, with the operations that the scenarios need. */
export interface System {
  startServer(place: Place): Promise<Server>
  startClient(place: Place): Promise<Client>
}
