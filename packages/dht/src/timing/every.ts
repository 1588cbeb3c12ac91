/** Runs a task at regular intervals, until the signal is aborted. It does not keep the process alive. */
export function every(ms: number, task: () => void, signal: AbortSignal): void {
  const timer = setInterval(task, ms)
  timer.unref?.()
  signal.addEventListener('abort', () => clearInterval(timer))
}
