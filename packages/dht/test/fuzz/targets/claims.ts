/** Throws if a claim is false. */
export function assertThat(isTrue: boolean, what: string): void {
  if (!isTrue) {
    throw new Error(what)
  }
}

/** Returns a function's result; undefined where it throws one of these errors. */
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

/** Whether two lists have equal items in the same order. */
export function areSame(some: readonly Uint8Array[], others: readonly Uint8Array[]): boolean {
  return some.length === others.length && some.every((one, i) => isSame(one, others[i] ?? one))
}
