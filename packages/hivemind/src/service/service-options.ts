import type { AllowPeer } from '@waggle/dht'
import {
  DEFAULT_BUCKET_SIZE,
  DEFAULT_NUM_REPLICAS,
  DEFAULT_REQUEST_TIMEOUT_MS
} from '../constants.ts'
import { type DHTId, ID_BYTES, randomId } from '../keys/dht-id.ts'
import { DEFAULT_HIVEMIND_LIMITS } from '../replica/limits.ts'
import type { HivemindValidator } from '../validators/interface.ts'
import {
  assertBoolean,
  assertFunction,
  assertHivemindCacheOptions,
  assertInteger,
  assertMembers,
  assertPositive,
  assertThat,
  DEFAULT_NODE_LIMITS,
  type HivemindCachePolicy,
  hivemindCachePolicy,
  type OptionTable
} from '../waggle-parts.ts'
import type { HivemindInit, HivemindNodeLimits } from './interface.ts'

/** The options with their defaults, checked. */
export interface HivemindSettings {
  readonly nodeId: DHTId
  readonly bucketSize: number
  readonly numReplicas: number
  readonly requestTimeoutMs: number
  readonly clientMode: boolean

  /** Undefined: no cache. */
  readonly cache: HivemindCachePolicy | undefined
  readonly limits: HivemindNodeLimits
  readonly validators: readonly HivemindValidator[]
  readonly allowPeer: AllowPeer | undefined
}

/** Replicas of a record, or nodes listed in a response, at most. */
const MAX_NODES = 64

/** Bytes of the largest record that fits a response together with 20 nodes. */
const MAX_RECORD_BYTES: number = DEFAULT_HIVEMIND_LIMITS.maxRecordBytes

/** The limits when the caller does not say. */
export const DEFAULT_LIMITS: HivemindNodeLimits = Object.freeze({
  ...DEFAULT_HIVEMIND_LIMITS,
  maxStoredRecords: DEFAULT_NODE_LIMITS.maxStoredRecords,
  maxStoredBytes: DEFAULT_NODE_LIMITS.maxStoredBytes,
  maxCachedBytes: DEFAULT_NODE_LIMITS.maxCachedBytes,
  maxRequestsPerPeer: DEFAULT_NODE_LIMITS.maxRequestsPerPeer,
  maxRequests: DEFAULT_NODE_LIMITS.maxRequests,
  maxBufferedBytesPerPeer: DEFAULT_NODE_LIMITS.maxBufferedBytesPerPeer,
  maxBufferedBytes: DEFAULT_NODE_LIMITS.maxBufferedBytes,
  maxKeysPerSecondPerPeer: DEFAULT_NODE_LIMITS.maxKeysPerSecondPerPeer,
  maxKeysPerSecond: DEFAULT_NODE_LIMITS.maxKeysPerSecond
})

const LIMITS: OptionTable = Object.fromEntries(
  Object.keys(DEFAULT_LIMITS).map((name) => [
    name,
    { assert: name === 'maxRecordBytes' ? assertInteger(1, MAX_RECORD_BYTES) : assertPositive }
  ])
)

/** The options of `hivemind()` and their checks. */
export const INIT_OPTIONS: OptionTable<HivemindInit> = {
  nodeId: { assert: assertNodeId },
  bucketSize: { assert: assertInteger(1, MAX_NODES) },
  numReplicas: { assert: assertInteger(1, MAX_NODES) },
  requestTimeoutMs: { assert: assertPositive },
  clientMode: { assert: assertBoolean },
  cache: { assert: assertHivemindCacheOptions },
  limits: { assert: (value, option) => assertMembers(value, option, LIMITS) },
  validators: { assert: assertValidators },
  allowPeer: { assert: assertFunction }
}

/** Adds the defaults. */
export function hivemindSettings(init: HivemindInit): HivemindSettings {
  const { cache = {}, limits = {} } = init
  return {
    nodeId: init.nodeId ?? randomId(),
    bucketSize: init.bucketSize ?? DEFAULT_BUCKET_SIZE,
    numReplicas: init.numReplicas ?? DEFAULT_NUM_REPLICAS,
    requestTimeoutMs: init.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS,
    clientMode: init.clientMode ?? false,
    cache: cache === false ? undefined : hivemindCachePolicy(cache),
    limits: { ...DEFAULT_LIMITS, ...limits },
    validators: init.validators ?? [],
    allowPeer: init.allowPeer
  }
}

function assertNodeId(value: unknown, option: string): void {
  const isOne = value instanceof Uint8Array && value.length === ID_BYTES
  assertThat(isOne, option, `a Uint8Array of ${ID_BYTES} bytes`, value)
}

function assertValidators(value: unknown, option: string): void {
  assertThat(Array.isArray(value), option, 'an array of validators', value)

  for (const [index, validator] of (value as unknown[]).entries()) {
    const { validate, sign } = Object(validator)
    const isOne = typeof validate === 'function' || typeof sign === 'function'
    assertThat(
      isOne,
      `${option}[${index}]`,
      'a HivemindValidator: it has validate() or sign()',
      validator
    )
  }
}
