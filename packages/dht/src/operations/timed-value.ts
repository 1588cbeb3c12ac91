import type { DHTTime, Value } from '@waggle/record'

/** Makes the value for an expiration. */
type ValueAt = (expirationTime: DHTTime) => Value

/** A value that depends on its expiration. */
class TimedValue {
  readonly at: ValueAt

  constructor(at: ValueAt) {
    this.at = at
  }
}

/**
 * Makes a value that `store` makes anew for each expiration with which it is stored, renewals included. Only layers over
 * the operations use it: nothing else that is stored depends on time.
 */
export function timedValue(at: ValueAt): Value {
  return new TimedValue(at) as unknown as Value
}

/** Whether a value depends on its expiration. */
export function isTimed(value: unknown): boolean {
  return value instanceof TimedValue
}

/** Returns the value to store until an expiration. */
export function valueAt(value: Value, expirationTime: DHTTime): Value {
  return (value as unknown) instanceof TimedValue
    ? (value as unknown as TimedValue).at(expirationTime)
    : value
}
