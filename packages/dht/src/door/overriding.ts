/**
 * The same object with some members replaced. All others are its own: its methods are called on the
 * object itself, which may keep private state.
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

      // Functions that it merely holds, such as its logger, are left as they are.
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
