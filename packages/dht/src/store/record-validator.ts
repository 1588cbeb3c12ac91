import {
  type KadValidator,
  type NetworkRules,
  parseNetworkRules,
  readRecord,
  signedEntries
} from '@waggle/record/replica'
import { SignatureChecks } from './signature-checks.ts'

/** The unknown sender of a record: kad-dht does not pass it on. */
const ANY_PEER = ''

const signatures = new SignatureChecks()

/**
 * Makes a plain kad-dht refuse everything but live, canonical records of the default network within
 * the default limits: `kadDHT({ validators: { waggle: recordValidator } })`. Rejects as `checkRecord`
 * of `@waggle/record` throws. For other networks see {@link recordValidatorFor}.
 *
 * Verifies signatures with Node's OpenSSL, remembers the good ones, and moves to other threads or
 * later turns of the event loop when there are many, so that they do not block other work.
 */
export const recordValidator: KadValidator = recordValidatorFor()

/**
 * Makes the validator of another network:
 * `kadDHT({ protocol, validators: { waggle: recordValidatorFor({ protocol }) } })`.
 */
export function recordValidatorFor(rules: NetworkRules = {}): KadValidator {
  const { limits, network } = parseNetworkRules(rules)

  return async (key, value) => {
    await signatures.check(
      signedEntries(key, readRecord(key, value, { limits }), network),
      ANY_PEER
    )
  }
}
