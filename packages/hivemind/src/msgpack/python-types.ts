/** A value that Hivemind can store: MessagePack's types and Python's tuples. */
export type HivemindValue =
  | null
  | boolean
  | number
  | bigint
  | Float
  | string
  | Uint8Array
  | readonly HivemindValue[]
  | { readonly [name: string]: HivemindValue }
  | ReadonlyMap<string | Uint8Array, HivemindValue>

/** A key or subkey. Python cannot look up lists, and `None` has other meanings. */
export type HivemindKey = boolean | number | bigint | Float | string | Uint8Array | Tuple

/**
 * A Python float. JavaScript cannot distinguish 1.0 from 1, but Hivemind does: they are two keys, and a strict
 * schema accepts one of them. Calculates and prints as its number does.
 */
export class Float {
  readonly value: number

  constructor(value: number) {
    if (typeof value !== 'number') {
      throw new TypeError(`a float is made of a number, got ${typeof value}`)
    }

    this.value = value
    Object.freeze(this)
  }

  valueOf(): number {
    return this.value
  }

  toString(): string {
    return String(this.value)
  }

  toJSON(): number {
    return this.value
  }
}

/**
 * A Python tuple: a frozen array that is stored as a tuple. Hivemind distinguishes tuples from lists, and only
 * tuples can be keys.
 */
export class Tuple extends Array<HivemindValue> {
  /** Makes arrays derived from a tuple, such as by `map`, ordinary ones. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array
  }
}

/** Marks a number as a Python float, which matters for integers: `float(1)` is 1.0. */
export function float(value: number): Float {
  return new Float(value)
}

/** Makes a Python tuple: `tuple('layer', 3)`. */
export function tuple(...items: readonly HivemindValue[]): Tuple {
  return tupleOf(items)
}

/** Makes a tuple of an array's items, however many there are. */
export function tupleOf(items: readonly HivemindValue[]): Tuple {
  const made = new Tuple()

  for (const item of items) {
    made.push(item)
  }

  Object.freeze(made)
  return made
}
