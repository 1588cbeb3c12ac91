import { createHash, randomBytes } from 'node:crypto'
import { textOf } from '../latin1.ts'

/** Bytes of the head of a request or a response: as many as Node's own HTTP server takes, cookies included. */
export const MAX_HEAD_BYTES: number = 16 * 1024

/** Bytes that are reserved for a head at first. */
const FIRST_BYTES = 512

/** Ends a head: an empty line. */
const END: readonly number[] = [0x0d, 0x0a, 0x0d, 0x0a]

/** Shows that a server knows WebSockets (RFC 6455, §1.3). */
const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

const KEY_BYTES = 16
const KEY = /^[A-Za-z0-9+/]{22}==$/

/** Headers that a proxy adds, and a page can't. */
const FORWARDED = ['forwarded', 'x-forwarded-for', 'via']

const LOCAL_HOST = /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/** The hostname of a URL with an IP address. */
const ADDRESS = /^[\d.]+$|^\[/

/** A complete head, and the bytes after it. */
export interface HttpHead {
  readonly text: string
  readonly rest: Uint8Array
}

/** Gathers a head. Throws beyond the maximum size. */
export class HttpHeadReader {
  #bytes = new Uint8Array(FIRST_BYTES)
  #size = 0

  push(bytes: Uint8Array): HttpHead | undefined {
    const from = Math.max(0, this.#size - END.length + 1)
    const taken = bytes.subarray(0, MAX_HEAD_BYTES - this.#size)
    this.#add(taken)
    const end = this.#endFrom(from)

    if (end === undefined) {
      if (this.#size === MAX_HEAD_BYTES) {
        throw new Error(`the head of an HTTP message is longer than ${MAX_HEAD_BYTES} bytes`)
      }

      return undefined
    }

    const late = this.#size - taken.length
    return { text: textOf(this.#bytes.subarray(0, end)), rest: bytes.slice(end - late) }
  }

  #add(bytes: Uint8Array): void {
    if (this.#size + bytes.length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#size + bytes.length))
      larger.set(this.#bytes.subarray(0, this.#size))
      this.#bytes = larger
    }

    this.#bytes.set(bytes, this.#size)
    this.#size += bytes.length
  }

  /** The position after the empty line. */
  #endFrom(from: number): number | undefined {
    for (let i = from; i + END.length <= this.#size; i++) {
      if (END.every((byte, j) => this.#bytes[i + j] === byte)) {
        return i + END.length
      }
    }
  }
}

/** A response to a request. */
export interface UpgradeAnswer {
  readonly isAccepted: boolean
  readonly text: string
}

/**
 * Answers a request to go on as a WebSocket. The page of another site has no business with a node that it reaches only
 * because it runs in a browser on the node's machine.
 */
export function upgradeAnswer(
  { text }: HttpHead,
  { isSameMachine }: { readonly isSameMachine: boolean }
): UpgradeAnswer {
  const [request = '', ...lines] = text.trimEnd().split('\r\n')
  const headers = headersIn(lines)
  const key = headers?.get('sec-websocket-key') ?? ''

  if (headers === undefined || !/^GET \S+ HTTP\/1\.1$/.test(request)) {
    return refusal('400 Bad Request', 'A Waggle node does not understand this request.')
  }

  if (!isUpgrade(headers)) {
    return refusal('426 Upgrade Required', 'A Waggle node runs here. It speaks WebSocket.')
  }

  if (!KEY.test(key)) {
    return refusal('400 Bad Request', 'The Sec-WebSocket-Key is wrong.')
  }

  if (isSameMachine && isForeign(headers)) {
    return refusal('403 Forbidden', 'Pages of other sites must not use a node of this machine.')
  }

  return { isAccepted: true, text: accepted(key) }
}

function accepted(key: string): string {
  return [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${acceptOf(key)}`,
    '\r\n'
  ].join('\r\n')
}

function refusal(status: string, reason: string): UpgradeAnswer {
  const text = [
    `HTTP/1.1 ${status}`,
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Content-Type: text/plain',
    `Content-Length: ${reason.length + 1}`,
    'Connection: close',
    '',
    `${reason}\n`
  ].join('\r\n')
  return { isAccepted: false, text }
}

/** A request to upgrade to a WebSocket, and the expected response. */
export interface UpgradeRequest {
  readonly text: string
  assertAccepted(head: HttpHead): void
}

export function upgradeRequest(host: string): UpgradeRequest {
  const key = randomBytes(KEY_BYTES).toString('base64')
  const text = [
    'GET / HTTP/1.1',
    `Host: ${host}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${key}`,
    'Sec-WebSocket-Version: 13',
    '\r\n'
  ].join('\r\n')

  return {
    text,
    assertAccepted({ text: answer }) {
      const [status = '', ...lines] = answer.trimEnd().split('\r\n')

      if (!/^HTTP\/1\.1 101(\s|$)/.test(status)) {
        throw new Error(`no WebSocket there: the answer is ${JSON.stringify(status)}`)
      }

      if (headersIn(lines)?.get('sec-websocket-accept') !== acceptOf(key)) {
        throw new Error('the server at the other end does not know WebSockets')
      }
    }
  }
}

function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}${ACCEPT_SUFFIX}`).digest('base64')
}

/** Undefined for lines that are not headers. */
function headersIn(lines: readonly string[]): Map<string, string> | undefined {
  const headers = new Map<string, string>()

  for (const line of lines) {
    const colon = line.indexOf(':')

    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(line.slice(0, Math.max(0, colon)))) {
      return undefined
    }

    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    headers.set(name, headers.has(name) ? `${headers.get(name)}, ${value}` : value)
  }

  return headers
}

function isUpgrade(headers: ReadonlyMap<string, string>): boolean {
  return (
    listed(headers, 'upgrade').includes('websocket') &&
    listed(headers, 'connection').includes('upgrade') &&
    headers.get('sec-websocket-version') === '13'
  )
}

function listed(headers: ReadonlyMap<string, string>, name: string): string[] {
  return (headers.get(name) ?? '').split(',').map((item) => item.trim().toLowerCase())
}

/** Whether the request is from a page of another host's site, without a proxy in between. */
function isForeign(headers: ReadonlyMap<string, string>): boolean {
  const origin = headers.get('origin')

  if (origin === undefined || FORWARDED.some((name) => headers.has(name))) {
    return false
  }

  const from = URL.parse(origin)?.hostname ?? ''
  const to = URL.parse(`http://${headers.get('host')}`)?.hostname
  // Anybody's name may lead to this machine, but only its own sites have its address.
  return !LOCAL_HOST.test(from) && !(from === to && ADDRESS.test(from))
}
