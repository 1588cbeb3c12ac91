/**
 * @packageDocumentation
 *
 * Types of handles, watches, publications, reports, sealed views and inspections, for code that passes them on:
 * `import type { Watch } from '@waggle/dht/handles'`. The class `DHT` of `@waggle/dht` makes them.
 */

export type { RecordNotice } from '../events.ts'
export type { DictionaryHandle } from '../handles/dictionary-handle.ts'
export type { HandleOptions } from '../handles/handle-options.ts'
export type { Misfit } from '../handles/misfit.ts'
export type { PresenceHandle, PresenceOptions } from '../handles/presence-handle.ts'
export type { ValueHandle } from '../handles/value-handle.ts'
export type { InspectedPeer, Inspection, RecordFigures } from '../inspection/inspection.ts'
export type { Change, RemovalReason } from '../live/change.ts'
export type { Watch, WatchEvent } from '../live/watch.ts'
export type { PublicationState, PublishOptions } from '../operations/publication.ts'
export type { ReplicaOutcome, Report, Result, StoreOutcome } from '../operations/store-report.ts'
export type { Unopened } from '../sealed/opener.ts'
export type { SealedOptions } from '../sealed/sealed-operations.ts'
export type { SealedView } from '../sealed/sealed-view.ts'
