import { setTimeout as passed } from 'node:timers/promises'
import { type DHT, getDHTTime } from '@waggle/dht'
import type { PeerProcess } from '../../peers/peer-process.ts'
import { exchangeStreams } from './exchange-streams.ts'

/** What became of streams and operations. */
export interface TrialFigures {
  readonly trial: string
  readonly tookMs: number

  /** While it lasted. */
  readonly asked: number
  readonly right: number
  readonly slowestMs: number

  /** Streams before it, and those of them that are still there. */
  readonly streams: number
  readonly kept: number

  /** The first get and the first store afterwards. */
  readonly getAfterMs: number
  readonly storeAfterMs: number
  readonly isRightAfter: boolean
}

/** What a trial does to a network meanwhile. */
export interface Ordeal {
  readonly trial: string

  /** Does it, with gets in between if they are part of it. */
  suffer(gets: Gets): Promise<void>
}

const KEY_COUNT = 100
const TTL = 86_400

/** Keys, of which each holds its own name. */
export function keyOf(index: number): string {
  return `key ${index % KEY_COUNT}`
}

/** Has a peer put something under all keys: who asks for them is not to know them already. */
export async function storeKeys(peer: PeerProcess): Promise<void> {
  const expirationTime = getDHTTime() + TTL

  for (let i = 0; i < KEY_COUNT; i++) {
    const key = keyOf(i)

    if (!(await peer.call('store', { key, value: key, expirationTime }))) {
      throw new Error(`${key} was not stored`)
    }
  }
}

/** Gets one key after another, and counts. */
export class Gets {
  readonly #node: DHT
  asked = 0
  right = 0
  slowestMs = 0

  constructor(node: DHT) {
    this.#node = node
  }

  /** With `latest` from all peers, else from any. */
  async get(options: { latest: boolean }): Promise<void> {
    const key = keyOf(this.asked++)
    const start = performance.now()

    try {
      const found = await this.#node.get(key, options)
      this.right += Number(found?.value === key)
    } finally {
      this.slowestMs = Math.max(this.slowestMs, performance.now() - start)
    }
  }
}

/** Has the network suffer, and looks what is left. */
export async function tried(node: DHT, { trial, suffer }: Ordeal): Promise<TrialFigures> {
  const before = exchangeStreams(node)
  const gets = new Gets(node)
  const start = performance.now()
  await suffer(gets)
  const tookMs = performance.now() - start

  const after = new Gets(node)
  await after.get({ latest: true })
  const storing = performance.now()
  const isStored = await node.store(keyOf(0), keyOf(0), { ttl: TTL })
  const storeAfterMs = performance.now() - storing
  const still = exchangeStreams(node)
  const kept = [...before].filter((stream) => still.has(stream)).length

  return {
    trial,
    tookMs,
    asked: gets.asked,
    right: gets.right,
    slowestMs: gets.slowestMs,
    streams: before.size,
    kept,
    getAfterMs: after.slowestMs,
    storeAfterMs,
    isRightAfter: after.right === 1 && isStored
  }
}

/** Nobody asks for anything. */
export function idling(forMs: number, signal: AbortSignal): Ordeal {
  return {
    trial: `idle for ${forMs / 1000} s`,
    suffer: () => passed(forMs, undefined, { signal })
  }
}

/** So that there are keys enough. */
const PAUSE_MS = 100

/**
 * One peer does nothing for so long, as when it computes, while others are asked. Each key is got
 * once, so that none is answered from what was got before.
 */
export function blocked(peer: PeerProcess, forMs: number): Ordeal {
  return {
    trial: `a peer blocked for ${forMs / 1000} s`,
    async suffer(gets) {
      let isBlocked = true
      const block = peer.call('block', forMs).finally(() => {
        isBlocked = false
      })

      while (isBlocked && gets.asked < KEY_COUNT) {
        await gets.get({ latest: false })
        await passed(PAUSE_MS)
      }

      await block
    }
  }
}

/** So many requests on each stream: one has been answered before the next one goes out. */
export function manyRequests(count: number, signal: AbortSignal): Ordeal {
  return {
    trial: `${count} requests to each peer`,
    suffer: (gets) => getMany(gets, { count, inFlight: 1, signal })
  }
}

/** The same for keys that are asked for at once, so that one request has many. */
export function manyKeys(
  count: number,
  { inFlight, signal }: { inFlight: number; signal: AbortSignal }
): Ordeal {
  return {
    trial: `${count} keys asked of each peer, ${inFlight} at once`,
    suffer: (gets) => getMany(gets, { count, inFlight, signal })
  }
}

interface Load {
  readonly count: number
  readonly inFlight: number
  readonly signal: AbortSignal
}

async function getMany(gets: Gets, { count, inFlight, signal }: Load): Promise<void> {
  const work = async (): Promise<void> => {
    while (gets.asked < count) {
      signal.throwIfAborted()
      await gets.get({ latest: true })
    }
  }

  await Promise.all(Array.from({ length: inFlight }, work))
}
