/** The part of HyperDHT that the bench uses; the package has no types. */
declare module 'hyperdht' {
  export interface KeyPair {
    readonly publicKey: Buffer
  }

  /** `bootstrap` has addresses as `host:port`. */
  export interface Options {
    readonly host: string
    readonly bootstrap: string[]
    readonly ephemeral: boolean
    readonly firewalled?: boolean
  }

  /** `closestNodes` are the nodes that accepted a value. */
  type Put = Promise<{ readonly closestNodes: readonly object[] }>
  type Get = Promise<{ readonly value: Buffer } | null>

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
    mutablePut(keyPair: KeyPair, value: Buffer): Put
    mutableGet(publicKey: Buffer, options: { readonly latest: boolean }): Get
    immutablePut(value: Buffer): Put
    immutableGet(hash: Buffer): Get
  }

  // biome-ignore lint/style/noDefaultExport: the package exports it so
  export { HyperDHT as default }
}
