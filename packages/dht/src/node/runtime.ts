/**
 * An older Node reads all of this, and then fails somewhere in libp2p, at what it does not have.
 *
 * @throws Error naming the version that is needed
 */
export function assertNode(): void {
  if (typeof Promise.withResolvers !== 'function') {
    throw new Error(
      `Waggle needs Node 22.12 or newer, and this is ${globalThis.process?.versions.node}`
    )
  }
}
