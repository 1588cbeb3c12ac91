import { DHT, type Durability, type Found, getDHTTime } from '@waggle/dht'
import { PeerProcess } from './peer-process.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const WRITERS = 32
const TTL = 3600

/** Milliseconds of writing before a kill, at random between these two. */
const MIN_WRITING_MS = 30
const MAX_WRITING_MS = 330

/** Keys looked up with one call. */
const LOOKED_FOR_AT_ONCE = 500

/** Milliseconds for an answer of a peer on a busy machine. */
const PATIENCE_MS = 60_000

/** Keys that are rewritten continuously, each by one writer. */
const BUSY_KEYS = 4

export interface KillLoopOptions {
  readonly kills: number
  readonly durability: Durability
}

export interface KillLoopResult {
  /** Writes that the peer acknowledged. */
  readonly acknowledged: number

  /** Acknowledged writes that were missing after a restart, with nothing later in their place. */
  readonly lost: number

  /** Milliseconds from the acknowledgement of the oldest lost write to the kill. */
  readonly lostMs: number

  /** Starts at which the peer found its disk damaged. */
  readonly damages: number

  /** Milliseconds from each start of the process to its first answer. */
  readonly startMs: readonly number[]
}

interface Write {
  readonly expirationTime: number
  readonly at: number
}

/**
 * Kills the only replica of a network with SIGKILL during writes, starts it again, and looks up every write that it
 * had acknowledged; repeatedly.
 */
export async function killLoop({ kills, durability }: KillLoopOptions): Promise<KillLoopResult> {
  await using directory = await temporaryDirectory()
  const loop = new KillLoop({ dataDir: directory.path, durability, numReplicas: 1 })

  for (let kill = 0; kill < kills; kill++) {
    await loop.look()
    await loop.writeUntilKilled(kill)
  }

  // Awaited, so that the directory is there until the end.
  return await loop.end()
}

class KillLoop {
  readonly #options
  readonly #startMs: number[] = []

  /** The latest acknowledged write of each key. */
  readonly #writes = new Map<string, Write>()

  /** Keys written since the last look. */
  readonly #fresh = new Set<string>()
  #peer: PeerProcess | undefined
  #acknowledged = 0
  #lost = 0
  #lostMs = 0
  #damages = 0
  #killedAt = 0

  constructor(options: { dataDir: string; durability: Durability; numReplicas: number }) {
    this.#options = options
  }

  /** Starts the peer, and looks up all writes acknowledged before the last kill. */
  async look(keys: Iterable<string> = this.#fresh): Promise<void> {
    this.#peer = await this.#start()
    await using client = await this.#client(this.#peer)
    const wanted = [...keys]

    while (wanted.length > 0) {
      const some = wanted.splice(0, LOOKED_FOR_AT_ONCE)
      const found = await client.getMany(some, { latest: true, timeoutMs: PATIENCE_MS })

      for (const [index, key] of some.entries()) {
        this.#compare(key, found[index])
      }
    }

    this.#fresh.clear()
  }

  #compare(key: string, found: Found | undefined): void {
    const write = this.#writes.get(key)

    if (write !== undefined && (found?.expirationTime ?? 0) < write.expirationTime) {
      this.#lost++
      this.#lostMs = Math.max(this.#lostMs, this.#killedAt - write.at)
      this.#writes.delete(key)
    }
  }

  async writeUntilKilled(kill: number): Promise<void> {
    await using peer = this.#peer
    await using client = await this.#client(peer)
    const writers = Array.from({ length: WRITERS }, (_, writer) =>
      this.#write(client, `${kill}/${writer}`, writer < BUSY_KEYS ? `busy ${writer}` : undefined)
    )
    await passes(MIN_WRITING_MS + Math.random() * (MAX_WRITING_MS - MIN_WRITING_MS))
    this.#killedAt = performance.now()
    await peer?.kill()
    await client.stop()
    await Promise.all(writers)
  }

  /** Looks up all writes that were ever acknowledged: none may vanish later. */
  async end(): Promise<KillLoopResult> {
    await this.look(this.#writes.keys())
    await this.#peer?.[Symbol.asyncDispose]()

    return {
      acknowledged: this.#acknowledged,
      lost: this.#lost,
      lostMs: this.#lostMs,
      damages: this.#damages,
      startMs: this.#startMs
    }
  }

  async #start(): Promise<PeerProcess> {
    const startedAt = performance.now()
    const peer = await PeerProcess.start(this.#options)
    this.#startMs.push(performance.now() - startedAt)
    const { persistence } = await peer.stats()

    if (persistence?.damaged !== 0 || persistence.damagedFiles !== undefined) {
      this.#damages++
    }

    return peer
  }

  #client(peer: PeerProcess | undefined): Promise<DHT> {
    return DHT.create({
      clientMode: true,
      numReplicas: 1,
      initialPeers: peer?.multiaddrs ?? [],
      // A peer that is slow to answer has lost nothing.
      requestTimeoutMs: PATIENCE_MS
    })
  }

  /** Writes one value after the other, until one is not held. */
  async #write(client: DHT, name: string, sameKey: string | undefined): Promise<void> {
    for (let count = 0; ; count++) {
      const key = sameKey ?? `${name}/${count}`
      const expirationTime = getDHTTime() + TTL

      // Nobody is there any more, or the client has been stopped.
      if (!(await client.store(key, count, { expirationTime }).catch(() => false))) {
        return
      }

      this.#writes.set(key, { expirationTime, at: performance.now() })
      this.#fresh.add(key)
      this.#acknowledged++
    }
  }
}

function passes(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
