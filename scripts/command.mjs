// Runs commands one after another, and handles how they end.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'

/** The repository's own folder, where every command runs. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Ends the whole run with an exit code. The message is empty when the reason has been printed already. */
export class StopError extends Error {
  static name = 'StopError'
  name = 'StopError'

  constructor(exitCode, message = '') {
    super(message)
    this.exitCode = exitCode
  }
}

/** Prints a progress message on the standard error. */
export function say(line) {
  console.error(`waggle: ${line}`)
}

let child
let stopped = false

/** Runs a command and resolves with its exit code. Rejects with a StopError after a signal. `killSignal` kills it. */
export function run([file, ...args], env, killSignal) {
  return new Promise((resolve, reject) => {
    child = spawn(file, args, { cwd: ROOT, env, stdio: 'inherit' })
    killSignal?.addEventListener('abort', () => child?.kill('SIGKILL'))
    child.on('error', (error) => reject(new StopError(1, `can't start ${file}: ${error.message}`)))
    child.on('exit', (code, signal) => {
      child = undefined
      const exitCode = code ?? exitCodeOf(signal)
      stopped ? reject(new StopError(exitCode)) : resolve(exitCode)
    })
  })
}

/** Runs a command, and ends the run if it fails. */
export async function step(command, env) {
  const exitCode = await run(command, env)

  if (exitCode !== 0) {
    throw new StopError(exitCode)
  }
}

/** Runs `main` and sets the exit code. Signals are passed on to the command that is running. */
export async function runToExit(main) {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, onSignal)
  }

  try {
    process.exitCode = await main()
  } catch (error) {
    if (!(error instanceof StopError)) {
      throw error
    }

    if (error.message !== '') {
      say(error.message)
    }

    process.exitCode = error.exitCode
  }
}

function onSignal(signal) {
  if (child === undefined) {
    process.exit(exitCodeOf(signal))
  }

  stopped = true

  // A terminal sends Ctrl-C to the command as well; other signals reach this process only.
  if (signal !== 'SIGINT' || !process.stdin.isTTY) {
    child.kill(signal)
  }
}

function exitCodeOf(signal) {
  return 128 + constants.signals[signal]
}
