/** Fails if what holds for all is not so for this one. */
export function assertThat(isTrue: boolean, what: string): void {
  if (!isTrue) {
    throw new Error(what)
  }
}

/** What the function gives, or undefined where it refuses by one of these errors. */
export function unlessRefused<T>(read: () => T, ...refusals: readonly string[]): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof Error && refusals.includes(error.name)) {
      return undefined
    }

    throw error
  }
}

export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

/** Whether both are the same, one after the other. */
export function areSame(some: readonly Uint8Array[], others: readonly Uint8Array[]): boolean {
  return some.length === others.length && some.every((one, i) => isSame(one, others[i] ?? one))
}
