import type { KnownPeers } from '../peers/known-peers.ts'
import type { Upkeep } from '../upkeep/upkeep.ts'
import { identifyAgain } from './identify-again.ts'
import type { WaggleComponents } from './service-interface.ts'

interface ModeParts {
  readonly components: WaggleComponents
  readonly lifetime: AbortSignal
  readonly routing: KnownPeers
  readonly servers: { serve(): Promise<void>; stopServing(): Promise<void> }
  readonly upkeep: Upkeep
}

/** Starts serving, or stops serving and passes on this node's records. */
export async function changeMode(
  mode: 'client' | 'server',
  { components, lifetime, routing, servers, upkeep }: ModeParts
): Promise<void> {
  if (mode === 'server') {
    routing.unsettle()
    await servers.serve()
    const { connectionManager, logger, peerId: self } = components
    const log = logger.forComponent('waggle:identify-again')
    // Takes seconds, and the application need not wait for it.
    void identifyAgain({ connectionManager, routing, self, lifetime, log })
    return
  }

  await servers.stopServing()
  await upkeep.run()
}
