import type { StandardSchemaV1 } from '@standard-schema/spec'
import {
  type Dictionary,
  type Key,
  type MaybePromise,
  ownerTag,
  type Subkey,
  type Value
} from '@waggle/record'
import { assertSchema, whenDone } from '@waggle/record/replica'
import { DEFAULT_PRESENCE_TTL } from '../constants.ts'
import { dictionaryOf, mapPlaces, mapSource, placesOf } from '../live/found-places.ts'
import type { FoundPlace } from '../live/places.ts'
import type { Watch, WatchOptions } from '../live/watch.ts'
import type { BaseOperations } from '../operations/base-operations.ts'
import { assertReadOptions } from '../operations/call-arguments.ts'
import type { GetOptions } from '../operations/call-options.ts'
import { placeOwnerId } from '../operations/place-owner-id.ts'
import type { Publication } from '../operations/publication.ts'
import {
  assertFunction,
  assertOptions,
  assertPositive,
  type OptionTable
} from '../option-checks.ts'
import { CheckedPublication } from './checked-publication.ts'
import { assertFit } from './fit.ts'
import { leaveOut, type MisfitOptions } from './misfit.ts'
import { readFound } from './value-handle.ts'

/**
 * The present members: a place for each peer under one key, which only that peer can write and delete. A member
 * writes `I`, others read `T`.
 */
export interface PresenceHandle<I, T> {
  readonly key: Key

  /**
   * Makes this node a member until the publication is stopped, which says goodbye. The next `join` of this node
   * replaces it. @throws ValidationError for what does not fit the schema
   */
  join(mine: I): Publication<I>

  /** Reads all members by peer id. */
  members(options?: GetOptions): Promise<Dictionary<string, T>>
  watch<R extends boolean = false>(
    options?: WatchOptions<R>
  ): Watch<Dictionary<string, T>, string, T, R>
}

/** Options of a presence. */
export interface PresenceOptions extends MisfitOptions {
  /**
   * Seconds after which a member that crashed is gone. Entries are renewed twice in this time.
   *
   * @default DEFAULTS.presence.ttl
   */
  readonly ttl?: number | undefined
}

const OPTIONS: OptionTable<PresenceOptions> = {
  ttl: { assert: assertPositive },
  onMisfit: { assert: assertFunction }
}

/** Makes a handle of the members under a key. */
export function presenceHandle<I, T>(
  base: BaseOperations,
  key: Key,
  schema: StandardSchemaV1<I, T>,
  options: PresenceOptions = {}
): PresenceHandle<I, T> {
  assertSchema(schema, 'the schema')
  assertOptions('presence', options, OPTIONS)
  const { ttl = DEFAULT_PRESENCE_TTL } = options
  const states = base.states(key)
  const misfits = { base, key, options }
  const map = (
    place: FoundPlace<Subkey | undefined, Value>
  ): MaybePromise<FoundPlace<string, T> | undefined> => {
    const { subkey } = place
    const peer = subkey === undefined ? undefined : placeOwnerId(key, subkey)
    // A peer can own many subkeys, and has one place here.
    return peer !== undefined && subkey === ownerTag(peer)
      ? whenDone(
          readFound({ ...misfits, schema }, place),
          (found) => found && { subkey: peer, found }
        )
      : leaveOut(misfits, place, [{ message: 'the subkey is not the ownerTag of a peer' }])
  }

  return {
    key,
    join: (mine) => {
      const subkey = ownerTag(base.peerId)
      return new CheckedPublication({
        ...{ key, subkey, value: mine },
        check: (value) => assertFit(schema, value, 'value'),
        begin: (value) => base.publish(key, value as Value, { subkey, ttl, goodbye: true })
      })
    },
    members: async (getOptions) => {
      assertReadOptions(getOptions)
      const places = placesOf(await base.get(key, getOptions))
      return dictionaryOf(await mapPlaces(places, (_, place) => map(place)))
    },
    watch: (watchOptions) =>
      base.watchStates(mapSource(states, map, dictionaryOf<string, T>), watchOptions)
  }
}
