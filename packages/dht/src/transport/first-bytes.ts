import type { AbortOptions, MultiaddrConnection } from '@libp2p/interface'
import { concat } from 'uint8arrays/concat'
import { type HttpHead, HttpHeadReader, upgradeAnswer } from './http-upgrade.ts'
import { isSameMachine } from './same-machine.ts'
import { WebSocketConnection } from './websocket-connection.ts'

/**
 * The first bytes of a WebSocket. libp2p's own connections begin with 0x13, and those of private networks with a
 * random number, which begins like this once in 2³² times.
 */
const HTTP = new TextEncoder().encode('GET ')

const NOTHING = new Uint8Array(0)

/** The start of a connection: a request, or libp2p's bytes. */
type Beginning = HttpHead | { readonly text?: undefined; readonly rest: Uint8Array }

/** Distinguishes a request from libp2p's own connections, by as few bytes as possible. */
export class FirstBytes {
  readonly #head = new HttpHeadReader()
  #begun: Uint8Array = NOTHING
  #isHttp = false

  push(bytes: Uint8Array): Beginning | undefined {
    if (this.#isHttp) {
      return this.#head.push(bytes)
    }

    this.#begun = this.#begun.length === 0 ? bytes : concat([this.#begun, bytes])
    const known = HTTP.subarray(0, this.#begun.length)

    if (!known.every((byte, i) => byte === this.#begun[i])) {
      return { rest: this.#begun }
    }

    this.#isHttp = known.length === HTTP.length
    return this.#isHttp ? this.#head.push(this.#begun) : undefined
  }
}

/**
 * Waits for the first bytes of an inbound connection, and returns the connection for libp2p: the same one, or the
 * WebSocket in it.
 */
export async function acceptedConnection(
  raw: MultiaddrConnection,
  options: AbortOptions
): Promise<MultiaddrConnection> {
  const first = new FirstBytes()
  const { text, rest } = await takeBytes(raw, (bytes) => first.push(bytes), options)
  raw.unshift(rest)

  if (text === undefined) {
    return raw
  }

  const answer = upgradeAnswer(
    { text, rest },
    { isSameMachine: isSameMachine(raw.remoteAddr.toString()) }
  )
  raw.send(new TextEncoder().encode(answer.text))

  if (!answer.isAccepted) {
    await raw.close(options)
    throw new Error(`no WebSocket was asked for: ${answer.text.split('\r\n', 1)}`)
  }

  return new WebSocketConnection({ raw, remoteAddr: raw.remoteAddr.encapsulate('/ws') })
}

/** Passes received bytes to `take` until it returns a value. Later bytes wait in the connection. */
export async function takeBytes<T>(
  connection: MultiaddrConnection,
  take: (bytes: Uint8Array) => T | undefined,
  { signal }: AbortOptions
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const onMessage = ({ data }: { data: { subarray(): Uint8Array } }): void => {
    try {
      const taken = take(data.subarray())

      if (taken !== undefined) {
        connection.removeEventListener('message', onMessage)
        resolve(taken)
      }
    } catch (error) {
      reject(error)
    }
  }
  const onEnd = (): void => reject(new Error('the connection ended while it was set up'))
  const onAbort = (): void => reject(signal?.reason)
  connection.addEventListener('message', onMessage)
  connection.addEventListener('close', onEnd)
  signal?.addEventListener('abort', onAbort)

  try {
    signal?.throwIfAborted()
    return await promise
  } finally {
    connection.removeEventListener('message', onMessage)
    connection.removeEventListener('close', onEnd)
    signal?.removeEventListener('abort', onAbort)
  }
}
