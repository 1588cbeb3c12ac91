import { setTimeout as passed } from 'node:timers/promises'

const POLL_MS = 20
const TIMEOUT_MS = 60_000

/** Resolves when the condition holds; rejects with its description after a minute. */
export async function until(
  description: string,
  isTrue: () => boolean | Promise<boolean>,
  timeoutMs: number = TIMEOUT_MS
): Promise<void> {
  const start = performance.now()

  while (!(await isTrue())) {
    if (performance.now() - start > timeoutMs) {
      throw new Error(`within ${timeoutMs} ms, it did not happen that ${description}`)
    }

    await passed(POLL_MS)
  }
}
