import { constants } from 'node:os'
import process from 'node:process'
import { DONE, FAILED } from './errors.ts'
import { type CommandIO, Stop } from './io.ts'
import { readerGone } from './reader-gone.ts'
import { run } from './run.ts'

/** Base of the exit code of a process that a signal ended, to which the signal's number is added, as shells do. */
const SIGNALLED = 128

/** Error codes of an output without a reader: a closed pipe, and a closed terminal. */
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
    // A process that writes to no terminal ignores SIGHUP, so that it survives under nohup. Node undoes nohup's own
    // setting. On macOS, nohup leaves the input on the terminal.
    if (signal === 'SIGHUP' && !writesToTerminal()) {
      return
    }

    // A second signal ends the process even if it hangs.
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

// Failing to print messages is not an error.
process.stderr.on('error', () => {})
// Where readers can't be observed, the next write reports the error.
readerGone(process.stdout.fd).then(endWithReader, () => {})

const exitCode = await run(process.argv.slice(2), io)
process.exitCode = lost ?? exitCode

/** Stops the command cleanly: a reader such as `head` has read enough. */
function endWithReader(): void {
  lost ??= DONE
  stopping.abort(new Stop('SIGPIPE'))
}

function writesToTerminal(): boolean {
  return [process.stdout, process.stderr].some(({ isTTY }) => isTTY === true)
}
