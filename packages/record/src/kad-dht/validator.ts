import { assertOptions, assertText, type OptionTable } from '../argument-checks.ts'
import { readRecord } from '../check-record.ts'
import { DEFAULT_LIMITS, type Limits } from '../limits.ts'
import { DEFAULT_NETWORK, networkOf } from '../network.ts'
import { assertSigned, signedEntries } from '../owner/signature.ts'

/** Signatures verified before other work gets a turn: a few milliseconds' worth in JavaScript. */
const SIGNATURES_PER_TURN = 4

/** A network whose rules differ from the default ones. */
export interface NetworkRules {
  /**
   * kad-dht's protocol there, which names the network.
   *
   * @default '/waggle/kad/1.0.0'
   */
  readonly protocol?: string | undefined

  /** @default DEFAULT_LIMITS */
  readonly limits?: Limits | undefined
}

const RULES: OptionTable<NetworkRules> = { protocol: { assert: assertText }, limits: {} }

/** Checks a value, as kad-dht's validators do. */
export type KadValidator = (key: Uint8Array, value: Uint8Array) => Promise<void>

/**
 * Makes a plain kad-dht refuse everything but live, canonical records of the default network within
 * the default limits: `kadDHT({ validators: { waggle: recordValidator } })`. Rejects as
 * {@link checkRecord} throws. For other networks see {@link recordValidatorFor}.
 *
 * Verifies signatures in JavaScript, a few in each turn of the event loop, so that a record with many
 * does not block other work. The validator of the same name in `@waggle/dht` uses OpenSSL where it
 * runs in Node, which is about ten times as fast.
 */
export const recordValidator: KadValidator = recordValidatorFor()

/**
 * Makes the validator of another network:
 * `kadDHT({ protocol, validators: { waggle: recordValidatorFor({ protocol }) } })`.
 */
export function recordValidatorFor(rules: NetworkRules = {}): KadValidator {
  const { limits, network } = parseNetworkRules(rules)

  return async (key, value) => {
    const signed = signedEntries(key, readRecord(key, value, { limits }), network)

    for (const [i, one] of signed.entries()) {
      if (i > 0 && i % SIGNATURES_PER_TURN === 0) {
        await nextTurn()
      }

      assertSigned(one)
    }
  }
}

/**
 * Returns the limits and the name of a network.
 *
 * @throws TypeError for a rule that does not exist or is wrong
 */
export function parseNetworkRules(rules: NetworkRules): { limits: Limits; network: string } {
  assertOptions('recordValidatorFor', rules, RULES)
  const { protocol, limits = DEFAULT_LIMITS } = rules
  return { limits, network: protocol === undefined ? DEFAULT_NETWORK : networkOf(protocol) }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve))
}
