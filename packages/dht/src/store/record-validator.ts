import { readRecord, signedEntries } from '@waggle/record/replica'
import { SignatureChecks } from './signature-checks.ts'

/** kad-dht does not say which peer has sent a record. */
const ANY_PEER = ''

const signatures = new SignatureChecks()

/**
 * Makes a plain kad-dht refuse everything but live, canonical records within the default limits:
 * `kadDHT({ validators: { waggle: recordValidator } })`. Rejects as `checkRecord` of
 * `@waggle/record` throws.
 *
 * Verifies signatures with Node's OpenSSL, remembers the good ones, and moves to other threads or
 * later turns of the event loop when there are many, so that they do not block other work.
 */
export async function recordValidator(key: Uint8Array, value: Uint8Array): Promise<void> {
  await signatures.check(signedEntries(key, readRecord(key, value)), ANY_PEER)
}
