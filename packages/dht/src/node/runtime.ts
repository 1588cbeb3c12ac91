/**
 * Checks the version of Node. An older one loads the code and fails later, inside libp2p.
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
