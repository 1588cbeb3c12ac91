import { fromString } from 'uint8arrays/from-string'
import { toString as stringOf } from 'uint8arrays/to-string'
import { ByteWriter } from '../bytes/byte-writer.ts'
import { MalformedBytesError } from '../errors.ts'

/** An RSA public key's numbers, as in a JSON Web Key. */
export interface RsaNumbers {
  readonly n: string
  readonly e: string
}

const NAME = 'ssh-rsa'
const utf8 = new TextEncoder()

/** Writes a public key as OpenSSH does: `ssh-rsa` and base64. */
export function opensshKey({ n, e }: RsaNumbers): string {
  const to = new ByteWriter()

  for (const part of [utf8.encode(NAME), positive(e), positive(n)]) {
    to.uint(part.length, 4)
    to.bytes(part)
  }

  return `${NAME} ${stringOf(to.finish(), 'base64pad')}`
}

/**
 * Reads a public key in OpenSSH's form.
 *
 * @throws MalformedBytesError
 */
export function parseOpensshKey(text: string): RsaNumbers {
  const parts = partsOf(base64Of(text))
  const [name, e, n] = parts

  if (parts.length !== 3 || n === undefined || e === undefined || name === undefined) {
    throw new MalformedBytesError('an RSA key in OpenSSH form has three parts')
  }

  if (stringOf(name, 'latin1') !== NAME) {
    throw new MalformedBytesError(`a key is not of type ${NAME}`)
  }

  return { n: numberText(n), e: numberText(e) }
}

function base64Of(text: string): Uint8Array {
  const base64 = /^ssh-rsa ([A-Za-z0-9+/]+=*)$/.exec(text)?.[1]

  if (base64 === undefined) {
    throw new MalformedBytesError('a key does not begin with ssh-rsa')
  }

  try {
    return fromString(base64, 'base64pad')
  } catch (cause) {
    throw new MalformedBytesError('a key is not base64', { cause })
  }
}

function partsOf(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const parts: Uint8Array[] = []
  let at = 0

  while (at + 4 <= bytes.length) {
    const end = at + 4 + view.getUint32(at)

    if (end > bytes.length) {
      break
    }

    parts.push(bytes.subarray(at + 4, end))
    at = end
  }

  if (at !== bytes.length) {
    throw new MalformedBytesError('a key is cut short')
  }

  return parts
}

/** Prefixes a number whose first bit is set with a zero byte, because it would be negative otherwise. */
function positive(base64url: string): Uint8Array {
  const bytes = fromString(base64url, 'base64url')
  return (bytes[0] ?? 0) >= 0x80 ? Uint8Array.of(0, ...bytes) : bytes
}

function numberText(bytes: Uint8Array): string {
  return stringOf(bytes[0] === 0 ? bytes.subarray(1) : bytes, 'base64url')
}
