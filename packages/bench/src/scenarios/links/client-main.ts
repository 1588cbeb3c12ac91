// A process with one client behind a slow link, which transfers bulk and makes small calls beside it.
import { setTimeout as passed } from 'node:timers/promises'
import { DHT } from '@waggle/dht'
import { serve } from '../../processes/serve.ts'

export interface Transfer {
  readonly kind: 'getMany' | 'storeMany' | 'get'
  readonly keys: readonly string[]

  /** Bytes of each stored value. */
  readonly bytes: number
}

/** Keys of small values, which are read one after the other. */
export interface SmallCalls {
  readonly keys: readonly string[]
  readonly everyMs: number
}

export interface Transferred {
  readonly elapsedMs: number
  readonly right: number
  readonly small: readonly number[]
  readonly failedSmall: number
  readonly error?: string
}

const PATIENCE_MS = 240_000
const TTL = 3600
const dht: { node?: DHT } = {}

const handlers = {
  async join(options: { initialPeers: string[]; requestTimeoutMs: number }): Promise<void> {
    dht.node = await DHT.create({ ...options, clientMode: true, cache: false })
  },

  /** Makes small calls for some time; resolves with the milliseconds of each. */
  async small({ forMs, ...calls }: SmallCalls & { forMs: number }): Promise<readonly number[]> {
    return (await alongside(calls, passed(forMs))).latencies
  },

  async transfer({ small, ...transfer }: Transfer & { small: SmallCalls }): Promise<Transferred> {
    const startMs = performance.now()
    let elapsedMs = 0
    let error: string | undefined
    const moving = move(transfer)
      .catch((reason) => {
        error = String(reason)
        return 0
      })
      .finally(() => {
        elapsedMs = performance.now() - startMs
      })
    const { latencies, failed } = await alongside(small, moving)
    const right = await moving
    return {
      ...{ elapsedMs, right, small: latencies, failedSmall: failed },
      ...(error !== undefined && { error })
    }
  }
}

export type LinkClientHandlers = typeof handlers

serve(handlers)

/** Resolves with the number of right answers. */
async function move({ kind, keys, bytes }: Transfer): Promise<number> {
  const node = dht.node as DHT
  const options = { timeoutMs: PATIENCE_MS }

  switch (kind) {
    case 'getMany':
      return (await node.getMany(keys, options)).filter(Boolean).length
    case 'get': {
      const found = await Promise.all(keys.map((key) => node.get(key, options)))
      return found.filter(Boolean).length
    }
    case 'storeMany': {
      const entries = keys.map((key) => ({ key, value: 'x'.repeat(bytes), ttl: TTL }))
      return (await node.storeMany(entries, options)).filter(Boolean).length
    }
  }
}

async function alongside({ keys, everyMs }: SmallCalls, work: Promise<unknown>) {
  const latencies: number[] = []
  let [failed, isOver] = [0, false]
  void work.finally(() => {
    isOver = true
  })

  // A pause, because a request in the same tick would travel in one message with the bulk.
  await passed(everyMs)

  for (let i = 0; !isOver; i++) {
    const startMs = performance.now()
    const found = await dht.node?.get(keys[i % keys.length] ?? '').catch(() => undefined)
    latencies.push(performance.now() - startMs)
    failed += Number(found === undefined)
    await Promise.race([passed(everyMs), work])
  }

  return { latencies, failed }
}
