/**
 * @packageDocumentation
 *
 * Types of sealed views, for code that passes them on. `dht.sealed(secret)` makes a view.
 */

export type { SealedOptions, Unopened } from './sealed-operations.ts'
export type { SealedView } from './sealed-view.ts'
