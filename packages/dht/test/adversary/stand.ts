import { readFileSync } from 'node:fs'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { DHT, type DHTOptions } from '@waggle/dht'
import { PeerProcess } from '../support/peer-process.ts'
import { HONEST_KEY, HONEST_SEED, ownedKey } from './attacks.ts'

/** Latencies of honest calls. */
export interface Latencies {
  readonly calls: number
  readonly medianMs: number
  readonly p99Ms: number
}

const TTL = 3600

/** A victim in a process of its own, and an honest client of it. */
export class Stand implements AsyncDisposable {
  readonly victim: PeerProcess
  readonly #honest: DHT
  readonly #stored = new Map<string, string>()
  #calls = 0

  private constructor(victim: PeerProcess, honest: DHT) {
    this.victim = victim
    this.#honest = honest
  }

  static async start(limits: DHTOptions['limits'] = {}): Promise<Stand> {
    const victim = await PeerProcess.start({ limits })
    const initialPeers = [...victim.multiaddrs]
    const privateKey = await generateKeyPairFromSeed('Ed25519', HONEST_SEED)
    const honest = await DHT.create({ clientMode: true, initialPeers, privateKey, cache: false })
    return new Stand(victim, honest)
  }

  /** Stores the records that must be there afterwards. */
  async prepare(records: number): Promise<void> {
    for (const key of [
      HONEST_KEY,
      await ownedKey(),
      ...Array.from({ length: records }, (_, i) => `honest ${i}`)
    ]) {
      await this.#store(key, `the value of ${key}`)
    }
  }

  /**
   * Stores and reads for some time, one call after the other. Rejects when a call fails. Resolves with all durations
   * in ms.
   */
  async work(forMs: number): Promise<readonly number[]> {
    const untilMs = performance.now() + forMs
    const tookMs: number[] = []

    while (performance.now() < untilMs) {
      const key = `honest, again ${this.#calls++ % 50}`
      const value = `value ${this.#calls}`
      tookMs.push(await timed(() => this.#store(key, value)))
      tookMs.push(await timed(() => this.#expect(key, value)))
    }

    return tookMs
  }

  /** Counts the stored records that cannot be read unchanged. */
  async lost(): Promise<number> {
    const values = await this.#honest.getMany(this.#stored.keys(), { latest: true })
    return [...this.#stored.values()].filter((value, i) => values[i]?.value !== value).length
  }

  /** Returns the victim's resident memory. */
  residentBytes(): number {
    const status = readFileSync(`/proc/${this.victim.pid}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024
  }

  async #store(key: string, value: string): Promise<void> {
    if (!(await this.#honest.store(key, value, { ttl: TTL }))) {
      throw new Error(`the honest record ${key} was refused`)
    }

    this.#stored.set(key, value)
  }

  async #expect(key: string, value: string): Promise<void> {
    const found = await this.#honest.get(key, { latest: true })

    if (found?.value !== value) {
      throw new Error(`${key} is ${found?.value}, not ${value}`)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#honest.stop()
    await this.victim[Symbol.asyncDispose]()
  }
}

async function timed(call: () => Promise<void>): Promise<number> {
  const startMs = performance.now()
  await call()
  return performance.now() - startMs
}

export function latenciesOf(tookMs: readonly number[]): Latencies {
  const sorted = tookMs.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.floor(share * sorted.length)] ?? 0
  return { calls: sorted.length, medianMs: at(0.5), p99Ms: at(0.99) }
}
