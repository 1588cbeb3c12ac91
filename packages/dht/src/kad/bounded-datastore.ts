import type { Datastore, Key } from 'interface-datastore'
import { BoundedMap } from '../collections/bounded-map.ts'
import { overriding } from '../door/overriding.ts'
import { Alarm } from '../timing/alarm.ts'

/** Entries that kad-dht keeps for others besides Waggle's records: those of other namespaces, and of providers. */
export const MAX_FOREIGN_RECORDS = 1000
export const MAX_PROVIDERS = 10_000

/** Milliseconds after which they are deleted unless they were written again: kad-dht's own limits. */
export const FOREIGN_RECORD_MS: number = 48 * 3_600_000
export const PROVIDER_MS: number = 24 * 3_600_000

/** Milliseconds between checks for old entries. */
const SWEEP_MS = 60_000

/** Bytes of one entry. */
const MAX_ENTRY_BYTES: number = 64 * 1024

interface Entry {
  readonly key: Key
  readonly atMs: number
}

/** The entries below one prefix, oldest first. */
interface Folder {
  readonly prefix: string
  readonly maxAgeMs: number
  readonly entries: BoundedMap<string, Entry>
}

/**
 * Wraps kad-dht's datastore. Entries stored for others, which kad-dht never deletes, are bounded and expire. The
 * oldest are evicted first. Entries of an earlier process begin to age with the first write.
 */
export function boundedDatastore(
  datastore: Datastore,
  kadPrefix: string,
  nowMs: () => number = () => performance.now()
): Datastore {
  const discard = async (_: string, { key }: Entry): Promise<void> => {
    try {
      await datastore.delete(key)
    } catch {
      // The next search for an earlier process's entries finds it again.
    }
  }
  const folders = [
    { prefix: `${kadPrefix}/record/`, maxAgeMs: FOREIGN_RECORD_MS, maxSize: MAX_FOREIGN_RECORDS },
    { prefix: `${kadPrefix}/provider/`, maxAgeMs: PROVIDER_MS, maxSize: MAX_PROVIDERS }
  ].map(
    ({ prefix, maxAgeMs, maxSize }): Folder => ({
      prefix,
      maxAgeMs,
      entries: new BoundedMap<string, Entry>({ maxSize, onEvict: discard })
    })
  )
  const bounds = new Bounds({ datastore, folders, discard, nowMs })

  return overriding(datastore, {
    put: async (key, value, options) => {
      await bounds.admit(key, value)
      return datastore.put(key, value, options)
    },
    delete: async (key, options) => {
      bounds.forget(key)
      return datastore.delete(key, options)
    }
  })
}

interface BoundsInit {
  readonly datastore: Datastore
  readonly folders: readonly Folder[]
  readonly discard: (name: string, entry: Entry) => Promise<void>
  readonly nowMs: () => number
}

class Bounds {
  readonly #init: BoundsInit
  readonly #alarm = new Alarm(() => void this.#sweep())
  #loading: Promise<void> | undefined

  constructor(init: BoundsInit) {
    this.#init = init
  }

  /** Makes room for an entry that is about to be written. */
  async admit(key: Key, value: Uint8Array): Promise<void> {
    const folder = this.#folderOf(key)

    if (folder === undefined) {
      return
    }

    if (value.length > MAX_ENTRY_BYTES) {
      throw new RangeError(
        `an entry has ${value.length} bytes, at most ${MAX_ENTRY_BYTES} are kept`
      )
    }

    this.#loading ??= this.#load()
    await this.#loading
    folder.entries.set(key.toString(), { key, atMs: this.#init.nowMs() })
    this.#alarm.within(SWEEP_MS)
  }

  forget(key: Key): void {
    this.#folderOf(key)?.entries.delete(key.toString())
  }

  /** Loads the existing entries. */
  async #load(): Promise<void> {
    const { datastore, folders, nowMs } = this.#init

    for (const { prefix, entries } of folders) {
      for await (const key of datastore.queryKeys({ prefix })) {
        entries.set(key.toString(), { key, atMs: nowMs() })
      }
    }
  }

  async #sweep(): Promise<void> {
    const { discard, folders, nowMs } = this.#init
    const atMs = nowMs()

    for (const { maxAgeMs, entries } of folders) {
      for (const [name, entry] of entries) {
        if (atMs - entry.atMs < maxAgeMs) {
          break
        }

        entries.delete(name)
        await discard(name, entry)
      }
    }

    if (folders.some(({ entries }) => entries.size > 0)) {
      this.#alarm.within(SWEEP_MS)
    }
  }

  #folderOf(key: Key): Folder | undefined {
    const name = key.toString()
    return this.#init.folders.find(({ prefix }) => name.startsWith(prefix))
  }
}
