import type { Readable, Writable } from 'node:stream'

/** A command's view of the process. Only `main.ts` uses the process itself. */
export interface CommandIO {
  /** Writes a line of output. */
  out(line: string): void

  /** Writes a message to the standard error. */
  err(line: string): void

  /** Aborted by Ctrl-C or SIGTERM; the reason is a {@link Stop}. */
  readonly signal: AbortSignal
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number }
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number }
}

/** The reason of an abort: the process received a signal. */
export class Stop extends Error {
  static override readonly name = 'Stop'
  override readonly name = 'Stop'

  /** The signal that the process received. */
  readonly signal: NodeJS.Signals

  constructor(signal: NodeJS.Signals) {
    super(`stopped by ${signal}`)
    this.signal = signal
  }
}
