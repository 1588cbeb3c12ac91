import { constants } from 'node:os'
import process from 'node:process'
import { DONE, FAILED } from './errors.ts'
import { type CommandIO, Stop } from './io.ts'
import { run } from './run.ts'

/** A shell adds the number of the signal that has ended a process. */
const SIGNALLED = 128

const stopping = new AbortController()

const io: CommandIO = {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  signal: stopping.signal,
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // The second one is meant, whichever it is: a process that hangs can still be ended.
    if (stopping.signal.aborted) {
      process.exit(SIGNALLED + constants.signals[signal])
    }

    stopping.abort(new Stop(signal))
  })
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader such as `head` may close the pipe early. Any other error, such as a full disk, is a failure.
  if (error.code === 'EPIPE') {
    process.exit(DONE)
  }

  io.err(`waggle: can't write the output: ${error.message}`)
  process.exit(FAILED)
})

process.exitCode = await run(process.argv.slice(2), io)
