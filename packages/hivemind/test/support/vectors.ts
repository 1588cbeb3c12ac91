import { readFileSync } from 'node:fs'

/** A time in JSON; a word for one that JSON has no number for. */
export type Moment = number | string

export interface ReplicaVector {
  readonly writes: readonly (readonly [subkey: string, value: string, expiration: Moment])[]
  readonly answers: readonly (boolean | string)[]
  readonly found: { readonly type: number; readonly value: string; readonly expiration: Moment }
}

export interface Capture {
  readonly what: string
  readonly rpc: 'ping' | 'store' | 'find'
  readonly requestFrame: string
  readonly replyFrame: string
  // biome-ignore lint/suspicious/noExplicitAny: three shapes of what was decoded by hand
  readonly decoded: any
}

interface Vectors {
  readonly offline: {
    readonly msgpack: readonly { readonly python: string; readonly hex: string }[]
    readonly dhtid: readonly { readonly python: string; readonly hex: string }[]
    readonly dictionary: readonly {
      readonly items: readonly (readonly [subkey: string, value: string, expiration: number])[]
      readonly maxsize: number | null
      readonly hex: string
    }[]
    readonly nearest: {
      readonly query: string
      readonly own: string
      readonly known: readonly string[]
      readonly nearest: readonly string[]
      readonly distances: readonly string[]
    }
    readonly replica: Readonly<Record<string, ReplicaVector>>
  }
  readonly captures: readonly Capture[]
  // biome-ignore lint/suspicious/noExplicitAny: facts of many shapes
  readonly rsa: any
  // biome-ignore lint/suspicious/noExplicitAny: facts of many shapes
  readonly quirks: any
  readonly protobuf: Readonly<Record<string, string>>
}

/** Bytes, answers and decisions of Python Hivemind 1.1.12. Tests against it need no Python. */
export const vectors: Vectors = JSON.parse(
  readFileSync(new URL('../fixtures/vectors.json', import.meta.url), 'utf8')
)
