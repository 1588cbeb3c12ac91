/**
 * @packageDocumentation
 *
 * Types of handles and watches, for code that passes them on: `import type { Watch } from '@waggle/dht/handles'`. The
 * class `DHT` of `@waggle/dht` makes them.
 */

export type { Change, RemovalReason } from '../live/change.ts'
export type { Watch, WatchEvent } from '../live/watch.ts'
export type { DictionaryHandle } from './dictionary-handle.ts'
export type { HandleOptions } from './handle-options.ts'
export type { Membership } from './membership.ts'
export type { Misfit } from './misfit.ts'
export type { PresenceHandle, PresenceOptions } from './presence-handle.ts'
export type { ValueHandle } from './value-handle.ts'
