import type { Value } from './value.ts'

/** Marks, in a message of the compiler, the part of a type that can't be stored, and says why. */
export interface Unstorable<Why extends string> {
  readonly unstorable: Why
}

/**
 * `T`, if all of it can be stored: unlike {@link Value}, that includes interfaces, branded types and properties that may
 * be undefined, which are left out. Otherwise each part that can't be stored becomes an {@link Unstorable}.
 */
export type Storable<T> = [T] extends [Value] ? T : StorableParts<T>

type StorableParts<T> = T extends null | boolean | number | bigint | string | Uint8Array
  ? T
  : T extends undefined
    ? Unstorable<'undefined: leave it out, or delete'>
    : T extends symbol | ((...parameters: never) => unknown)
      ? Unstorable<'a function or symbol'>
      : T extends ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>
        ? Unstorable<'a Map or Set: store an array of its entries'>
        : T extends Date | RegExp | Error | Promise<unknown> | ArrayBuffer
          ? Unstorable<'an instance of a class: store a plain object'>
          : T extends readonly unknown[]
            ? { readonly [K in keyof T]: Storable<T[K]> }
            : T extends object
              ? {
                  readonly [K in keyof T]:
                    | Storable<Exclude<T[K], undefined>>
                    | Extract<T[K], undefined>
                }
              : Unstorable<'unknown: give it a type'>
