import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Float, float, type HivemindValue, Tuple, tuple } from '../../src/index.ts'
import { bytesOfHex, hexOf } from './hex.ts'

const SCRIPT = fileURLToPath(new URL('../python/peers.py', import.meta.url))

/** A running Python peer. */
export interface PythonPeer {
  readonly maddrs: string[]
  readonly peerId: string
  readonly pid: number

  /** The tag that protects its subkeys, if it signs. */
  readonly ownerTag: string
}

/** The result of a Python peer's read, floats and expirations to the bit. */
export type PythonFound =
  | { readonly value: HivemindValue; readonly expirationTime: number; readonly entries?: undefined }
  | {
      readonly entries: readonly (readonly [
        subkey: HivemindValue,
        value: HivemindValue,
        expirationTime: number
      ])[]
      readonly expirationTime: number
      readonly value?: undefined
    }

export interface PythonStore {
  readonly subkey?: HivemindValue | undefined
  readonly expirationTime: number
}

type Arguments = Readonly<Record<string, unknown>>

/** One Python process, and the peers that it starts. */
export class PythonPeers implements AsyncDisposable {
  readonly #process: ChildProcess
  readonly #pending = new Map<
    number,
    { resolve: (result: unknown) => void; reject: (error: Error) => void }
  >()
  #count = 0

  private constructor(process: ChildProcess) {
    this.#process = process
  }

  static async start(python: string): Promise<PythonPeers> {
    const process = spawn(python, [SCRIPT], { stdio: ['pipe', 'pipe', 'pipe'] })
    const peers = new PythonPeers(process)
    const ready = Promise.withResolvers<void>()
    let log = ''
    process.stderr?.on('data', (chunk) => {
      log = (log + chunk).slice(-4000)
    })
    process.on('exit', (code) => {
      const error = new Error(`Python ended with ${code}: ${log}`)
      ready.reject(error)
      peers.#fail(error)
    })
    createInterface({ input: process.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      const { ready: version, ...answer } = JSON.parse(line)

      if (version === undefined) {
        peers.#onAnswer(answer)
      } else {
        ready.resolve()
      }
    })
    await ready.promise
    return peers
  }

  /** Starts a peer. Options are those of Python's `DHT`. */
  async startPeer(name: string, options: Arguments = {}): Promise<PythonPeer> {
    return (await this.#run('start', { name, ...options })) as PythonPeer
  }

  async store(
    name: string,
    key: HivemindValue,
    value: HivemindValue,
    { subkey, expirationTime }: PythonStore
  ): Promise<boolean> {
    const place = subkey === undefined ? {} : { subkey: toJson(subkey), has_subkey: true }
    const expiration = toJson(float(expirationTime))
    return (await this.#run('store', {
      ...{ name, key: toJson(key), value: toJson(value), expiration },
      ...place
    })) as boolean
  }

  async get(
    name: string,
    key: HivemindValue,
    options: Arguments = {}
  ): Promise<PythonFound | undefined> {
    // biome-ignore lint/suspicious/noExplicitAny: JSON of two shapes
    const found: any = await this.#run('get', { name, key: toJson(key), ...options })

    if (found === null) {
      return undefined
    }

    const expirationTime = doubleOf(found.expiration)
    return found.dictionary === undefined
      ? { value: fromJson(found.value), expirationTime }
      : { entries: found.dictionary.map(entryOf), expirationTime }
  }

  /** Lists the peers in a peer's routing table. */
  async table(name: string): Promise<string[]> {
    return (await this.#run('table', { name })) as string[]
  }

  /** Counts the records that a peer holds. */
  async storage(name: string): Promise<number> {
    return (await this.#run('storage', { name })) as number
  }

  async stopPeer(name: string): Promise<void> {
    await this.#run('shutdown', { name })
  }

  /** Ends a peer at once, as a crash does. */
  async kill(name: string): Promise<void> {
    await this.#run('kill', { name })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, 'exit')
    this.#process.stdin?.end()
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), 20_000)
    await ended
    clearTimeout(timer)
  }

  #run(command: string, args: Arguments): Promise<unknown> {
    const id = this.#count++
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.#pending.set(id, { resolve, reject })
    this.#process.stdin?.write(`${JSON.stringify({ id, command, arguments: args })}\n`)
    return promise
  }

  #onAnswer({ id, result, error }: { id: number; result?: unknown; error?: string }): void {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)

    if (error === undefined) {
      pending?.resolve(result)
    } else {
      pending?.reject(new Error(`Python: ${error}`))
    }
  }

  #fail(error: Error): void {
    for (const { reject } of this.#pending.values()) {
      reject(error)
    }

    this.#pending.clear()
  }
}

function entryOf([subkey, value, expiration]: [unknown, unknown, string]): readonly [
  HivemindValue,
  HivemindValue,
  number
] {
  return [fromJson(subkey), fromJson(value), doubleOf(expiration)]
}

function toJson(value: HivemindValue): unknown {
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) {
    return { int: String(value) }
  }

  if (typeof value === 'number' || value instanceof Float) {
    return { float: bitsOf(Number(value)) }
  }

  return value !== null && typeof value === 'object' ? objectToJson(value) : value
}

function objectToJson(value: Exclude<HivemindValue & object, Float>): unknown {
  if (value instanceof Uint8Array) {
    return { bytes: hexOf(value) }
  }

  if (Array.isArray(value)) {
    const items = value.map(toJson)
    return value instanceof Tuple ? { tuple: items } : { list: items }
  }

  const entries = value instanceof Map ? [...value] : Object.entries(value)
  return { map: entries.map(([key, one]) => [toJson(key), toJson(one)]) }
}

// biome-ignore lint/suspicious/noExplicitAny: JSON of many shapes
function fromJson(json: any): HivemindValue {
  if (json === null || typeof json !== 'object') {
    return json
  }

  // biome-ignore lint/suspicious/noExplicitAny: JSON of many shapes
  const [[kind, inside] = ['', undefined]] = Object.entries<any>(json)

  switch (kind) {
    case 'bytes':
      return bytesOfHex(inside)
    case 'int':
      return Number.isSafeInteger(Number(inside)) ? Number(inside) : BigInt(inside)
    case 'float':
      return float(doubleOf(inside))
    case 'tuple':
      return tuple(...inside.map(fromJson))
    case 'list':
      return inside.map(fromJson)
    default:
      return mapOf(
        inside.map(([key, value]: [unknown, unknown]) => [fromJson(key), fromJson(value)])
      )
  }
}

function mapOf(entries: readonly (readonly [string | Uint8Array, HivemindValue])[]): HivemindValue {
  return entries.every(([key]) => typeof key === 'string')
    ? Object.fromEntries(entries)
    : new Map(entries)
}

function bitsOf(number: number): string {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setFloat64(0, number)
  return hexOf(bytes)
}

function doubleOf(hex: string): number {
  const bytes = bytesOfHex(hex)
  return new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0)
}
