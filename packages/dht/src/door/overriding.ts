/**
 * The same object with some members replaced. All others are its own: its methods are called on the
 * object itself, which may keep private state.
 */
export function overriding<T extends object>(target: T, overrides: Partial<T>): T {
  const bound = new Map<PropertyKey, unknown>()

  return new Proxy(target, {
    get(_, name) {
      if (Object.hasOwn(overrides, name)) {
        return Reflect.get(overrides, name)
      }

      const member: unknown = Reflect.get(target, name, target)

      // Functions that it merely holds, such as its logger, are left as they are.
      if (typeof member !== 'function' || Object.hasOwn(target, name)) {
        return member
      }

      if (!bound.has(name)) {
        bound.set(name, member.bind(target))
      }

      return bound.get(name)
    },
    set: (_, name, value) => Reflect.set(target, name, value, target)
  })
}
