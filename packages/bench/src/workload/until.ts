const POLL_MS = 20
const TIMEOUT_MS = 60_000

/** Resolves when the condition holds; rejects, naming it, when it never does. */
export async function until(
  isTrue: () => boolean | Promise<boolean>,
  { what }: { what: string }
): Promise<void> {
  const start = performance.now()

  while (!(await isTrue())) {
    if (performance.now() - start > TIMEOUT_MS) {
      throw new Error(`not so within ${TIMEOUT_MS} ms: ${what}`)
    }

    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}
