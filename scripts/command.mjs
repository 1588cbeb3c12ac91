// Commands that run one after another, and how they end.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'

/** The repository's own folder, where every command runs. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Ends the whole run with this exit code. What went wrong is told by the message, or was told already. */
export class StopError extends Error {
  static name = 'StopError'
  name = 'StopError'

  constructor(exitCode, message = '') {
    super(message)
    this.exitCode = exitCode
  }
}

/** Says what happens and why, beside the output of the commands. */
export function say(line) {
  console.error(`waggle: ${line}`)
}

let child
let stopped = false

/** Runs a command and answers its exit code. Rejects with that code when we were told to stop. */
export function run([file, ...args], env) {
  return new Promise((resolve, reject) => {
    child = spawn(file, args, { cwd: ROOT, env, stdio: 'inherit' })
    child.on('error', (error) =>
      reject(new StopError(1, `${file} does not start: ${error.message}`))
    )
    child.on('exit', (code, signal) => {
      child = undefined
      const exitCode = code ?? exitCodeOf(signal)
      stopped ? reject(new StopError(exitCode)) : resolve(exitCode)
    })
  })
}

/** Runs a command that must succeed before the next one. */
export async function step(command, env) {
  const exitCode = await run(command, env)

  if (exitCode !== 0) {
    throw new StopError(exitCode)
  }
}

/** Runs `main` to its exit code. Whoever tells us to stop, tells the command that runs just now. */
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

  // A terminal sends Ctrl-C to the command as well; any other sender knows only us.
  if (signal !== 'SIGINT' || !process.stdin.isTTY) {
    child.kill(signal)
  }
}

function exitCodeOf(signal) {
  return 128 + constants.signals[signal]
}
