import { readRecord } from '../check-record.ts'
import { assertSigned, signedEntries } from '../owner/signature.ts'

/** Signatures verified before other work gets a turn: a few milliseconds' worth in JavaScript. */
const SIGNATURES_PER_TURN = 4

/**
 * Makes a plain kad-dht refuse everything but live, canonical records within the default limits:
 * `kadDHT({ validators: { waggle: recordValidator } })`. Rejects as {@link checkRecord} throws.
 *
 * Verifies signatures in JavaScript, a few in each turn of the event loop, so that a record with many
 * does not block other work. The validator of the same name in `@waggle/dht` uses OpenSSL where it
 * runs in Node, which is about ten times as fast.
 */
export async function recordValidator(key: Uint8Array, value: Uint8Array): Promise<void> {
  for (const [i, signed] of signedEntries(key, readRecord(key, value)).entries()) {
    if (i > 0 && i % SIGNATURES_PER_TURN === 0) {
      await nextTurn()
    }

    assertSigned(signed)
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve))
}
