import { spawn } from 'node:child_process'

/**
 * Stops a process as SIGSTOP does. One that is stopped can't notice that we are gone: something
 * else does, and kills it then.
 */
export function stopProcess(pid: number): void {
  const end = `process.stdin.resume().on('end', () => process.kill(${pid}, 'SIGKILL'))`
  const guard = spawn(process.execPath, ['--eval', end], { stdio: ['pipe', 'ignore', 'ignore'] })

  // Neither the guard nor its pipe is to keep this process.
  guard.unref()
  process.kill(pid, 'SIGSTOP')
}
