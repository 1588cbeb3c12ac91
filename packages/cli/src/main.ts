import { constants } from 'node:os'
import process from 'node:process'
import { DONE, FAILED } from './errors.ts'
import { type CommandIO, Stop } from './io.ts'
import { readerGone } from './reader-gone.ts'
import { run } from './run.ts'

/** A shell adds the number of the signal that has ended a process. */
const SIGNALLED = 128

/** Errors of an output that nobody can read any more: a closed pipe, and a terminal that has gone. */
const READER_GONE = ['EPIPE', 'EIO']

const stopping = new AbortController()

/** Exit code of a command whose output was lost. */
let lost: number | undefined

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
    // A process without a terminal can't lose one: nohup means it to go on. Node undoes what nohup does to the signal.
    if (signal === 'SIGHUP' && !hasTerminal()) {
      return
    }

    // The second one is meant, whichever it is: a process that hangs can still be ended.
    if (stopping.signal.aborted) {
      process.exit(SIGNALLED + constants.signals[signal])
    }

    stopping.abort(new Stop(signal))
  })
}

process.stdout.on('error', ({ code = '', message }: NodeJS.ErrnoException) => {
  if (READER_GONE.includes(code)) {
    endWithReader()
  } else if (lost === undefined) {
    lost = FAILED
    io.err(`waggle: can't write the output: ${message}`)
    stopping.abort(new Stop('SIGPIPE'))
  }
})

// Messages that nobody can read are no failure.
process.stderr.on('error', () => {})
// Without it, the next write tells.
readerGone(process.stdout.fd).then(endWithReader, () => {})

const exitCode = await run(process.argv.slice(2), io)
process.exitCode = lost ?? exitCode

/** Stops the command cleanly: a reader such as `head` has all that it wants. */
function endWithReader(): void {
  lost ??= DONE
  stopping.abort(new Stop('SIGPIPE'))
}

function hasTerminal(): boolean {
  return [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY === true)
}
