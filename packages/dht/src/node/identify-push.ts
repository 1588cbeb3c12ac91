import { type IdentifyPush, identifyPush } from '@libp2p/identify'
import { TokenBucket } from '../admission/token-bucket.ts'
import { BoundedMap } from '../collections/bounded-map.ts'
import { guardedComponents, type ProtocolGuard } from '../door/guarded-components.ts'
import { identifyGuard } from './identify-guard.ts'

/** Pushes that one peer may send at once, and per second: its addresses change occasionally. */
export const PUSHES_AT_ONCE = 16
const PUSHES_PER_SECOND = 1

/** Peers whose pushes are remembered. */
const MAX_REMEMBERED = 4096

type Components = Parameters<ReturnType<typeof identifyPush>>[0]

/**
 * Creates libp2p's identify push: connected peers learn the addresses that this node gains later, as from a relay.
 * Each push is guarded as a response to identify is.
 *
 * @param isTelling - whether this node's addresses may change; it accepts others' pushes in any case
 */
export function guardedIdentifyPush(isTelling: boolean): (components: Components) => IdentifyPush {
  return (components) =>
    identifyPush({ runOnSelfUpdate: isTelling })(guardedComponents(components, pushGuard()))
}

/** Guards the content and the rate of pushes. Each takes the peer store some milliseconds. */
export function pushGuard(nowMs: () => number = () => performance.now()): ProtocolGuard {
  const guard = identifyGuard()
  const pushes = new BoundedMap<string, TokenBucket>({ maxSize: MAX_REMEMBERED })

  return (connection, stream) => {
    const bucket = pushes.getOrAdd(
      connection.remotePeer.toString(),
      () => new TokenBucket({ perSecond: PUSHES_PER_SECOND, burst: PUSHES_AT_ONCE, nowMs })
    )

    if (!bucket.tryTake(1, 1)) {
      throw new Error('the peer sends too many identify pushes')
    }

    return guard(connection, stream)
  }
}
