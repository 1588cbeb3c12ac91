import { toString as stringOf } from 'uint8arrays/to-string'
import { MalformedBytesError } from '../errors.ts'

const SEQUENCE = 0x30
const INTEGER = 0x02

/** Names of a private key's numbers in PKCS#1 order, after its version. */
const NAMES = ['n', 'e', 'd', 'p', 'q', 'dp', 'dq', 'qi'] as const

/** A private RSA key as WebCrypto imports it. */
export type RsaJwk = { readonly kty: 'RSA' } & Readonly<Record<(typeof NAMES)[number], string>>

/**
 * Reads a private RSA key in PKCS#1 (DER), libp2p's format.
 *
 * @throws MalformedBytesError
 */
export function jwkOfPkcs1(der: Uint8Array): RsaJwk {
  const outer = new DerReader(der)
  const numbers = new DerReader(outer.next(SEQUENCE))
  numbers.next(INTEGER)
  const named = NAMES.map((name) => [name, numberText(numbers.next(INTEGER))] as const)
  return { kty: 'RSA', ...(Object.fromEntries(named) as Omit<RsaJwk, 'kty'>) }
}

class DerReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  next(tag: number): Uint8Array {
    if (this.#bytes[this.#at++] !== tag) {
      throw new MalformedBytesError('a private key is not in the form of PKCS#1')
    }

    const length = this.#length()
    const value = this.#bytes.subarray(this.#at, this.#at + length)
    this.#at += length

    if (value.length !== length) {
      throw new MalformedBytesError('a private key is cut short')
    }

    return value
  }

  /** Reads a length: up to 127 in one byte, else in the number of bytes that the first one gives. */
  #length(): number {
    const first = this.#bytes[this.#at++] ?? 0

    if (first < 0x80) {
      return first
    }

    let length = 0

    for (let i = 0; i < first - 0x80 && i < 4; i++) {
      length = length * 256 + (this.#bytes[this.#at++] ?? 0)
    }

    return length
  }
}

function numberText(bytes: Uint8Array): string {
  return stringOf(bytes[0] === 0 ? bytes.subarray(1) : bytes, 'base64url')
}
