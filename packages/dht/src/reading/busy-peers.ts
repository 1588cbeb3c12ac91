import { BusyError } from '../errors.ts'

/** Tells a caller that a failure is a matter of load: nobody has answered, and some because of that. */
export class BusyPeers {
  #count = 0

  note(error: Error | undefined): void {
    this.#count += Number(error?.name === 'BusyError')
  }

  /** Throws a BusyError if nobody has answered who could, and some were busy. */
  assertAny(hasAnswer: boolean): void {
    if (!hasAnswer && this.#count > 0) {
      throw new BusyError(`none of the peers has answered, and ${this.#count} had too much to do`)
    }
  }
}
