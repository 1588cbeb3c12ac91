import type { TypedEventTarget } from '@libp2p/interface'
import type { ConnectionOptions } from '../connections/watermarks.ts'
import type { DHTEvents } from '../events.ts'
import type { Meter } from '../metrics/meter.ts'
import type { NodeLimits } from '../node-limits.ts'
import type { AllowPeer } from '../peers/access.ts'
import type { WaggleComponents, WaggleInit } from './service-interface.ts'

/** {@link WaggleInit} with its defaults. */
export type ServiceInit = {
  readonly [K in 'numReplicas' | 'requestTimeoutMs' | 'cache']: NonNullable<WaggleInit[K]>
} & {
  readonly limits: NodeLimits
  readonly allowPeer: AllowPeer | undefined
  readonly connections: ConnectionOptions
}

export interface PartsInit extends ServiceInit {
  readonly components: WaggleComponents

  /** Counts what is done; undefined: nobody. */
  readonly meter: Meter | undefined

  /** Where the service tells what happens. */
  readonly events: TypedEventTarget<DHTEvents>
}
