interface VersionedComponents {
  readonly registrar?: object
  readonly nodeInfo?: { readonly version?: string }
}

/**
 * Checks that a service is made for libp2p 3. In libp2p 2, streams work otherwise: every request would fail.
 *
 * @throws Error naming the version that is needed
 */
export function assertLibp2p(components: object): void {
  const { registrar, nodeInfo } = components as VersionedComponents

  // Stream middleware came with version 3.
  if (registrar !== undefined && !('use' in registrar)) {
    throw new Error(
      `Waggle needs libp2p 3, and this node is made by libp2p ${nodeInfo?.version ?? '2 or older'}: install libp2p 3, and the versions of its modules that go with it`
    )
  }
}
