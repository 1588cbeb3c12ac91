interface VersionedComponents {
  readonly registrar?: object
  readonly nodeInfo?: { readonly version?: string }
}

/**
 * Checks that libp2p is version 3. Streams differ in libp2p 2, so every request would fail.
 *
 * @throws Error naming the version that is needed
 */
export function assertLibp2p(components: object): void {
  const { registrar, nodeInfo } = components as VersionedComponents

  // Stream middleware was added in version 3.
  if (registrar !== undefined && !('use' in registrar)) {
    throw new Error(
      `Waggle needs libp2p 3, and this node is made by libp2p ${nodeInfo?.version ?? '2 or older'}: install libp2p 3, and the versions of its modules that go with it`
    )
  }
}
