import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Lifetime, OptionalLifetime, Storable } from '@waggle/record'
import type { Unstorable } from '@waggle/record/replica'
import { assertCallOptions } from '../operations/call-arguments.ts'
import type { SigningOptions, WriteOptions } from '../operations/call-options.ts'
import type { PublishOptions } from '../operations/publication.ts'
import { assertPrivateKey } from '../operations/writes.ts'
import {
  assertFunction,
  assertOptions,
  assertPositive,
  type OptionTable
} from '../option-checks.ts'
import type { MisfitOptions } from './misfit.ts'

/** The input of a schema, which is stored. */
export type Input<S extends StandardSchemaV1> = StandardSchemaV1.InferInput<S>

/** The output of a schema, which is read. */
export type Output<S extends StandardSchemaV1> = StandardSchemaV1.InferOutput<S>

/** A schema whose input can be stored. */
export type StorableSchema<S extends StandardSchemaV1> = S &
  ([Input<S>] extends [Storable<Input<S>>] ? unknown : Unstorable<'some of what the schema takes'>)

/** Options of a handle. */
export interface HandleOptions extends SigningOptions, MisfitOptions {
  /** Seconds that values live which are stored without a lifetime of their own. */
  readonly ttl?: number | undefined
}

/** The options of a handle's `delete`. */
export type HandleDeleteOptions = WriteOptions & OptionalLifetime

/** The arguments of a handle's `store` after the value: a lifetime, unless the handle has a ttl. */
export type StoreArguments<O> = O extends { readonly ttl: number }
  ? [options?: HandleDeleteOptions]
  : [options: WriteOptions & Lifetime]

type PublishingOptions = Omit<PublishOptions, 'subkey'>

/** The arguments of a handle's `publish` after the value: a ttl, unless the handle has one. */
export type PublishArguments<O> = O extends { readonly ttl: number }
  ? [options?: Omit<PublishingOptions, 'ttl'> & { readonly ttl?: number | undefined }]
  : [options: PublishingOptions]

const OPTIONS: OptionTable<HandleOptions> = {
  ttl: { assert: assertPositive },
  privateKey: { assert: assertPrivateKey },
  onMisfit: { assert: assertFunction }
}

/** @throws TypeError for an option that a handle does not have, or that is wrong */
export function assertHandleOptions(what: string, options: object): void {
  assertOptions(what, options, OPTIONS)
}

/** The options of one deletion, which has a lifetime of its own. */
export function deleteOptions(
  { privateKey }: HandleOptions,
  options: HandleDeleteOptions = {}
): HandleDeleteOptions {
  assertCallOptions('handle.delete', options)
  return { ...(privateKey && { privateKey }), ...options }
}

/** The options of one publication, with the handle's own behind them. */
export function publishOptions(
  { ttl, privateKey }: HandleOptions,
  options: Partial<PublishOptions> = {}
): PublishOptions {
  assertCallOptions('handle.publish', options)
  const given = options.ttl ?? ttl
  return { ...(privateKey && { privateKey }), ...options, ttl: given as number }
}

/** The options of one write, with the handle's own behind them. */
export function writeOptions(
  { ttl, privateKey }: HandleOptions,
  options: HandleDeleteOptions = {}
): WriteOptions & Lifetime {
  assertCallOptions('handle.store', options)
  const { ttl: ownTtl, expirationTime } = options
  const lifetime = ownTtl === undefined && expirationTime === undefined && ttl !== undefined
  return {
    ...(privateKey && { privateKey }),
    ...options,
    ...(lifetime && { ttl })
  } as WriteOptions & Lifetime
}
