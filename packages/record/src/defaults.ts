import { DEFAULT_LIMITS, type Limits } from './limits.ts'
import { DEFAULT_NETWORK } from './network.ts'

/** Values of options that the caller leaves out. */
export interface RecordDefaults {
  readonly limits: Limits

  /** The name of the network in owners' signatures. */
  readonly network: string
}

/** All defaults of the package. */
export const DEFAULTS: RecordDefaults = Object.freeze({
  limits: DEFAULT_LIMITS,
  network: DEFAULT_NETWORK
})
