/** The part of HyperDHT that the bench uses; the package has no types. */
declare module 'hyperdht' {
  export interface KeyPair {
    readonly publicKey: Buffer
    readonly secretKey: Buffer
  }

  export interface Options {
    readonly host: string

    /** As `host:port`. */
    readonly bootstrap: string[]
    readonly ephemeral: boolean
    readonly firewalled?: boolean
  }

  /** Lists the nodes that accepted a value. */
  export interface Put {
    readonly closestNodes: readonly object[]
  }

  export interface Found {
    readonly value: Buffer
  }

  class HyperDHT {
    static keyPair(seed: Buffer): KeyPair
    static bootstrapper(port: number, host: string, options: { readonly host: string }): HyperDHT
    static hash(data: Buffer): Buffer

    readonly table: { readonly id: Buffer }

    constructor(options: Options)
    fullyBootstrapped(): Promise<void>
    address(): { readonly port: number }

    /** Returns the known nodes. */
    toArray(): readonly object[]
    findNode(target: Buffer): { finished(): Promise<void> }
    mutablePut(keyPair: KeyPair, value: Buffer): Promise<Put>
    mutableGet(publicKey: Buffer, options: { readonly latest: boolean }): Promise<Found | null>
    immutablePut(value: Buffer): Promise<Put>
    immutableGet(hash: Buffer): Promise<Found | null>
  }

  // biome-ignore lint/style/noDefaultExport: the package exports it so
  export { HyperDHT as default }
}
