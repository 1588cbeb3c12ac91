/** Compares two values in depth: prototypes, own properties, and numbers by `Object.is`. */
export function isSameValue(a: unknown, b: unknown): boolean {
  if (!(isObject(a) && isObject(b))) {
    return Object.is(a, b)
  }

  const keys = Reflect.ownKeys(a)
  return (
    Object.getPrototypeOf(a) === Object.getPrototypeOf(b) &&
    keys.length === Reflect.ownKeys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && isSameValue(a[key], b[key]))
  )
}

function isObject(value: unknown): value is Record<PropertyKey, unknown> {
  return typeof value === 'object' && value !== null
}
