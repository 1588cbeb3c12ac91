import type { TypedEventTarget } from '@libp2p/interface'
import type { DHTEvents } from '../events.ts'
import type { Meter } from '../metrics/meter.ts'
import type { NodeLimits } from '../node-limits.ts'
import type { Pages } from '../pages/pages.ts'
import type { AllowPeer } from '../peers/access.ts'
import type { Role } from './role.ts'
import type { WaggleComponents } from './service-interface.ts'
import type { WaggleInit } from './service-options.ts'

/** {@link WaggleInit} with its defaults. */
export type ServiceInit = {
  readonly [K in
    | 'numReplicas'
    | 'requestTimeoutMs'
    | 'cache'
    | 'connections'
    | 'serveGateway']: NonNullable<WaggleInit[K]>
} & {
  readonly limits: NodeLimits
  readonly allowPeer: AllowPeer | undefined
  readonly pages: Pages | undefined
}

export interface PartsInit extends ServiceInit {
  readonly components: WaggleComponents
  readonly role: Role

  /** Whether records were restored from disk. */
  readonly isRestored: boolean

  /** Counts the node's operations; undefined: no metrics. */
  readonly meter: Meter | undefined

  /** Target of the node's events. */
  readonly events: TypedEventTarget<DHTEvents>
}
