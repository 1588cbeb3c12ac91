/** Content of a swarm.key file, the same for all libp2p implementations. */
const FORM =
  'the text of a swarm.key file: /key/swarm/psk/1.0.0/ on the first line, /base16/ on the second, 64 hexadecimal digits on the third'
const HEADER = '/key/swarm/psk/1.0.0/'
const ENCODING = '/base16/'
const DIGITS = /^[0-9a-f]{64}$/i

/**
 * Returns the key of a private network for `@libp2p/pnet`. Errors do not contain the key, which is secret.
 *
 * @throws TypeError naming the option
 */
export function swarmKeyBytes(key: unknown, option: string): Uint8Array {
  const [header, encoding, digits = '', ...rest] = keyText(key, option)
    .trim()
    .split(/\r\n|\r|\n/)

  if (header !== HEADER) {
    throw refusal(
      option,
      `its first line is not ${HEADER}${looksLikePath(header) ? PATH_HINT : ''}`
    )
  }

  if (encoding !== ENCODING) {
    throw refusal(option, `its second line is not ${ENCODING}, the only encoding there is`)
  }

  if (!DIGITS.test(digits)) {
    throw refusal(
      option,
      `its third line is not 64 hexadecimal digits, but ${digits.length} characters`
    )
  }

  if (rest.length > 0) {
    throw refusal(option, `it has ${rest.length + 3} lines`)
  }

  return new TextEncoder().encode([header, encoding, digits].join('\n'))
}

const PATH_HINT = ' (this looks like a path: pass the content of the file)'

function keyText(key: unknown, option: string): string {
  if (key instanceof Uint8Array) {
    return new TextDecoder().decode(key)
  }

  if (typeof key === 'string') {
    return key
  }

  throw refusal(option, `it is ${key === null ? 'null' : `of type ${typeof key}`}`)
}

function looksLikePath(line = ''): boolean {
  return /\.key$|^[.~]?\//.test(line) && !line.startsWith('/key/')
}

function refusal(option: string, fault: string): TypeError {
  return new TypeError(`${option} must be ${FORM}, as a string or as bytes; ${fault}`)
}
