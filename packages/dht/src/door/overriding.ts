/**
 * Returns an object with some members replaced. All others are the original's: its methods are called on the object
 * itself, which may have private state.
 */
export function overriding<T extends object>(target: T, overrides: Partial<T>): T {
  const bound = new Map<PropertyKey, unknown>()

  return new Proxy(target, {
    get(_, name) {
      const known = bound.get(name)

      if (known !== undefined) {
        return known
      }

      if (Object.hasOwn(overrides, name)) {
        return Reflect.get(overrides, name)
      }

      const member: unknown = Reflect.get(target, name, target)

      // Functions that are its own properties, such as its logger, are left unbound.
      if (typeof member !== 'function' || Object.hasOwn(target, name)) {
        return member
      }

      const method: unknown = member.bind(target)
      bound.set(name, method)
      return method
    },
    set(_, name, value) {
      bound.delete(name)
      return Reflect.set(target, name, value, target)
    }
  })
}
