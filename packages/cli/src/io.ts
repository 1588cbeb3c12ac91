import type { Readable, Writable } from 'node:stream'

/** All that a command sees of the world. `main.ts` alone knows that there is a process. */
export interface CommandIO {
  /** Writes a line of the answer. */
  out(line: string): void

  /** Writes a line about how it went. */
  err(line: string): void

  /** Aborted by Ctrl-C or SIGTERM; the reason is a {@link Stop}. */
  readonly signal: AbortSignal
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number }
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number }
}

/** Why the signal was aborted. */
export class Stop extends Error {
  static override readonly name = 'Stop'
  override readonly name = 'Stop'

  /** What the process was sent. */
  readonly signal: NodeJS.Signals

  constructor(signal: NodeJS.Signals) {
    super(`stopped by ${signal}`)
    this.signal = signal
  }
}
