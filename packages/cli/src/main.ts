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

/** Whether the standard error is open. */
let isErrOpen = false

// Node opens each stream when it is first used, which takes a moment, and most commands need one.
const io: CommandIO = {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => io.stderr.write(`${line}\n`),
  signal: stopping.signal,
  env: process.env,
  get stdin() {
    return process.stdin
  },
  get stdout() {
    return process.stdout
  },
  get stderr() {
    if (!isErrOpen) {
      isErrOpen = true
      // Failing to print messages is not an error.
      process.stderr.on('error', () => {})
    }

    return process.stderr
  }
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

// Where readers can't be observed, the next write reports the error.
readerGone(process.stdout.fd).then(endWithReader, () => {})

const exitCode = await run(process.argv.slice(2), io)
await Promise.all([process.stdout, ...(isErrOpen ? [process.stderr] : [])].map(written))
// An error of the output is reported in this turn. Nothing else is left to do, and Node would take its heap apart first.
setImmediate(() => process.exit(lost ?? exitCode))

/** Stops the command cleanly: a reader such as `head` has read enough. */
function endWithReader(): void {
  lost ??= DONE
  stopping.abort(new Stop('SIGPIPE'))
}

/** Resolves when all that was written to a stream has gone out, or failed. */
function written(stream: NodeJS.WriteStream): Promise<unknown> {
  return new Promise((resolve) => stream.write('', resolve))
}

function writesToTerminal(): boolean {
  return [process.stdout, process.stderr].some(({ isTTY }) => isTTY === true)
}
