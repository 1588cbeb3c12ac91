import {
  DEFAULT_BOOTSTRAP_TIMEOUT_MS,
  DEFAULT_BUCKET_SIZE,
  DEFAULT_NUM_REPLICAS,
  DEFAULT_REQUEST_TIMEOUT_MS
} from '../constants.ts'
import type { HivemindNodeLimits } from '../service/interface.ts'
import { DEFAULT_LIMITS } from '../service/service-options.ts'

/** Defaults of options, by the names of the options. */
export interface HivemindDefaults {
  readonly bucketSize: number
  readonly numReplicas: number
  readonly requestTimeoutMs: number
  readonly bootstrapTimeoutMs: number

  /** Limits of records and of the node. */
  readonly limits: HivemindNodeLimits
}

/** All defaults of the package. */
export const DEFAULTS: HivemindDefaults = Object.freeze({
  bucketSize: DEFAULT_BUCKET_SIZE,
  numReplicas: DEFAULT_NUM_REPLICAS,
  requestTimeoutMs: DEFAULT_REQUEST_TIMEOUT_MS,
  bootstrapTimeoutMs: DEFAULT_BOOTSTRAP_TIMEOUT_MS,
  limits: DEFAULT_LIMITS
})
