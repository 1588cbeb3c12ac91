import type { Handlers } from './handlers.ts'
import { Remote } from './remote.ts'

/** Processes that end together. */
export class ProcessGroup {
  readonly #members: Remote<never>[] = []
  readonly #signal: AbortSignal

  /** All of them are killed when the signal is aborted. */
  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  start<H extends Handlers>(command: readonly string[]): Remote<H> {
    const member = new Remote<H>(command, { signal: this.#signal })
    this.#members.push(member as Remote<never>)
    return member
  }

  /** Resolves when all are gone. */
  async kill(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.kill()))
  }
}
