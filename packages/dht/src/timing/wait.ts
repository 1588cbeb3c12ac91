/** Resolves after some time, or when the signal is aborted. By default it does not keep the process alive. */
export async function wait(
  ms: number,
  signal?: AbortSignal,
  { keepsAlive = false }: { keepsAlive?: boolean } = {}
): Promise<void> {
  if (signal?.aborted) {
    return
  }

  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)

  if (!keepsAlive) {
    timer.unref?.()
  }

  const onAbort = (): void => resolve()
  signal?.addEventListener('abort', onAbort)
  await promise
  clearTimeout(timer)
  signal?.removeEventListener('abort', onAbort)
}
