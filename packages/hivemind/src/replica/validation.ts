import type { MaybePromise, Verdict } from '@waggle/record'
import { isPromise } from '@waggle/record/replica'
import { bytesOf } from '../bytes/latin1.ts'
import { toError } from '../errors.ts'
import type { HivemindWrite } from '../record/write.ts'
import {
  type HivemindSubmission,
  type HivemindValidator,
  NO_SUBKEY
} from '../validators/interface.ts'
import { isProtected, verified } from '../validators/rsa.ts'
import { type Door, TaskQueue, THREADS_FOR_SIGNATURES } from '../waggle-parts.ts'
import { faultOf, valueFault } from './checks.ts'
import type { HivemindLimits } from './limits.ts'

/** The result of checking a write: its value as a reader sees it, or the reason why no replica should hold it. */
export type Checked =
  | { readonly value: Uint8Array; readonly refusal?: undefined }
  | { readonly value?: undefined; readonly refusal: string }

export interface ValidationInit {
  readonly limits: HivemindLimits
  readonly validators: readonly HivemindValidator[]
  readonly clock: () => number

  /** Each peer's use of this node's time. @default an instance of its own */
  readonly shares?: Door['shares'] | undefined
}

/** Estimated milliseconds of one RSA signature, import of its key included. */
const SIGNATURE_MS = 0.2

/** Milliseconds allowed for a validator. A timeout counts as a refusal. */
const VALIDATOR_TIMEOUT_MS = 1000

/** Checks entries against the limits, their owners' signatures and the application's validators. */
export class Validation {
  readonly limits: HivemindLimits
  readonly #validators: readonly HivemindValidator[]
  readonly #clock: () => number

  /** Signatures of peers, which take turns with them. */
  readonly #signatures: TaskQueue

  constructor({ limits, validators, clock, shares }: ValidationInit) {
    this.limits = limits
    this.#validators = validators
    this.#clock = clock
    this.#signatures = new TaskQueue({
      maxRunning: THREADS_FOR_SIGNATURES,
      costMs: () => SIGNATURE_MS,
      shares
    })
  }

  /**
   * Checks a write. Returns synchronously unless it is signed or a validator is asynchronous.
   *
   * @param writer - the peer that sends it, as text; empty: this node has read or makes it
   */
  check(key: Uint8Array, write: HivemindWrite, writer = ''): MaybePromise<Checked> {
    const fault = faultOf(write, this.limits, this.#clock())

    if (fault !== undefined) {
      return { refusal: fault }
    }

    const { subkey, value } = write

    if (subkey !== undefined && isProtected(subkey)) {
      return this.#signatures.run(writer, () => this.#checkProtected(key, write))
    }

    return this.#checkValue(key, write, value)
  }

  /**
   * Runs the validators' `sign` over the value of a write.
   *
   * @throws TypeError for a value that cannot be signed
   */
  async signed(key: Uint8Array, write: HivemindWrite): Promise<HivemindWrite> {
    let signed = write

    for (const { sign } of this.#signers()) {
      signed = { ...signed, value: await sign(submissionOf(key, signed)) }
    }

    return signed
  }

  #signers(): { sign: NonNullable<HivemindValidator['sign']> }[] {
    return this.#validators.flatMap((validator) =>
      validator.sign === undefined ? [] : [{ sign: validator.sign.bind(validator) }]
    )
  }

  async #checkProtected(key: Uint8Array, write: HivemindWrite): Promise<Checked> {
    const value = await verified(submissionOf(key, write))
    return typeof value === 'string' ? { refusal: value } : this.#checkValue(key, write, value)
  }

  #checkValue(key: Uint8Array, write: HivemindWrite, value: Uint8Array): MaybePromise<Checked> {
    const fault = valueFault(value)

    if (fault !== undefined) {
      return { refusal: fault }
    }

    const validators = this.#validators.filter(({ validate }) => validate !== undefined)
    return validators.length === 0
      ? { value }
      : judged(validators, submissionOf(key, { ...write, value }))
  }
}

function submissionOf(
  key: Uint8Array,
  { subkey, value, expirationTime }: HivemindWrite
): HivemindSubmission {
  return {
    key,
    subkey: subkey === undefined ? NO_SUBKEY : bytesOf(subkey),
    value,
    expirationTime
  }
}

async function judged(
  validators: readonly HivemindValidator[],
  submission: HivemindSubmission
): Promise<Checked> {
  for (const validator of validators) {
    const name = validator.name ?? 'a validator'

    try {
      const verdict = await patiently(validator.validate?.(submission) ?? true)

      if (verdict !== true) {
        return { refusal: `${name}: ${verdict === false ? 'no reason given' : verdict}` }
      }
    } catch (error) {
      return { refusal: `${name} failed: ${toError(error).message}` }
    }
  }

  return { value: submission.value }
}

async function patiently(verdict: MaybePromise<Verdict>): Promise<Verdict> {
  if (!isPromise(verdict)) {
    return verdict
  }

  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => reject(new Error(`no answer within ${VALIDATOR_TIMEOUT_MS} ms`)),
    VALIDATOR_TIMEOUT_MS
  )

  try {
    return await Promise.race([verdict, late])
  } finally {
    clearTimeout(timer)
  }
}
