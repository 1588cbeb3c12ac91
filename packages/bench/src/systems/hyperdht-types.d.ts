/** What we use of HyperDHT, which comes without types. */
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

  /** Who took a value. */
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

    /** The nodes that it knows. */
    toArray(): readonly object[]
    findNode(target: Buffer): { finished(): Promise<void> }
    mutablePut(keyPair: KeyPair, value: Buffer): Promise<Put>
    mutableGet(publicKey: Buffer, options: { readonly latest: boolean }): Promise<Found | null>
    immutablePut(value: Buffer): Promise<Put>
    immutableGet(hash: Buffer): Promise<Found | null>
    destroy(): Promise<void>
  }

  // biome-ignore lint/style/noDefaultExport: that is how it exports
  export { HyperDHT as default }
}
