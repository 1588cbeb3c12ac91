import type { ChildProcess } from 'node:child_process'

const running = new Set<ChildProcess>()

/**
 * Has a process killed at the end of the test file, if it still runs then. A test that runs into its timeout disposes of
 * nothing, and a suspended process that it leaves keeps its output open, for which vitest waits without end.
 */
export function killAtEnd(child: ChildProcess): void {
  running.add(child)
  child.once('exit', () => running.delete(child))
}

/** Kills the processes that are left. */
export function killLeft(): void {
  for (const child of running) {
    child.kill('SIGKILL')
  }
}
