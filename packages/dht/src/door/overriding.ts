/**
 * Returns an object with some members replaced. All others are the original's: its methods are called on the object
 * itself, which may have private state.
 */
export function overriding<T extends object>(target: T, overrides: Partial<T>): T {
  return new Proxy(target, new Overrides(overrides))
}

/** The traps of one object. Connections and streams have several such objects each, so they share the functions. */
class Overrides<T extends object> implements ProxyHandler<T> {
  readonly #overrides: Partial<T>

  /** Methods of the target that have been called. */
  #bound: Map<PropertyKey, unknown> | undefined

  constructor(overrides: Partial<T>) {
    this.#overrides = overrides
  }

  get(target: T, name: PropertyKey): unknown {
    const known = this.#bound?.get(name)

    if (known !== undefined) {
      return known
    }

    if (Object.hasOwn(this.#overrides, name)) {
      return Reflect.get(this.#overrides, name)
    }

    const member: unknown = Reflect.get(target, name, target)

    // Functions that are its own properties, such as its logger, are left unbound.
    if (typeof member !== 'function' || Object.hasOwn(target, name)) {
      return member
    }

    const method: unknown = member.bind(target)
    this.#bound ??= new Map()
    this.#bound.set(name, method)
    return method
  }

  set(target: T, name: PropertyKey, value: unknown): boolean {
    this.#bound?.delete(name)
    return Reflect.set(target, name, value, target)
  }
}
