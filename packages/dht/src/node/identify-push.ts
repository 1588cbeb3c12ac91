import { type IdentifyPush, identifyPush } from '@libp2p/identify'
import { guardedComponents } from '../door/guarded-components.ts'
import { identifyGuard } from './identify-guard.ts'

type Components = Parameters<ReturnType<typeof identifyPush>>[0]

/**
 * libp2p's identify push: connected peers learn the addresses that this node gains later, as from a
 * relay. Each push is guarded as an answer to identify is.
 *
 * @param isTelling - whether this node's addresses may change; it takes the pushes of others in any case
 */
export function guardedIdentifyPush(isTelling: boolean): (components: Components) => IdentifyPush {
  return (components) =>
    identifyPush({ runOnSelfUpdate: isTelling })(guardedComponents(components, identifyGuard()))
}
