import { randomBytes } from '@libp2p/crypto'
import { CALL_ID_BYTES } from '../wire/envelope.ts'

/** Bytes of an id that hold the counter. */
const COUNTER_BYTES = 4

/** Makes unique ids of calls: a random prefix and a counter. Random bytes for each call would cost more. */
export class CallIds {
  #id: Uint8Array = randomBytes(CALL_ID_BYTES)
  #count = 0

  next(): Uint8Array {
    if (this.#count > 0xffff_ffff) {
      this.#id = randomBytes(CALL_ID_BYTES)
      this.#count = 0
    }

    const id = this.#id.slice()
    new DataView(id.buffer).setUint32(CALL_ID_BYTES - COUNTER_BYTES, this.#count++)
    return id
  }
}
