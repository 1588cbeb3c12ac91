import type { TypedEventTarget } from '@libp2p/interface'
import type { DHTEvents } from '../events.ts'
import type { Meter } from '../metrics/meter.ts'
import type { NodeLimits } from '../node-limits.ts'
import type { AllowPeer } from '../peers/access.ts'
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
}

export interface PartsInit extends ServiceInit {
  readonly components: WaggleComponents

  /** Whether records were restored from disk. */
  readonly isRestored: boolean

  /** Counts what is done; undefined: nobody. */
  readonly meter: Meter | undefined

  /** Where the service tells what happens. */
  readonly events: TypedEventTarget<DHTEvents>
}
