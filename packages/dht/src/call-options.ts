import type {
  DeleteOptions,
  FindNearestPeersOptions,
  GetManyOptions,
  GetOptions,
  PlaceOptions,
  StoreEntry,
  StoreManyOptions,
  StoreOptions,
  WatchOptions
} from './interface.ts'

/** The options of each call, all of them, and what an entry of storeMany may have. */
interface OptionsOfCalls {
  store: StoreOptions
  delete: DeleteOptions
  stopRepublishing: PlaceOptions
  get: GetOptions
  storeMany: StoreManyOptions
  entry: StoreEntry
  getMany: GetManyOptions
  watch: WatchOptions
  findNearestPeers: FindNearestPeersOptions
}

const CALL = { signal: true, timeoutMs: true } as const
const WRITE = { expirationTime: true, ttl: true, privateKey: true } as const
const READ = { ...CALL, latest: true, sufficientExpirationTime: true } as const

const OPTIONS: {
  readonly [C in keyof OptionsOfCalls]: Readonly<Record<keyof OptionsOfCalls[C], true>>
} = {
  store: { ...CALL, ...WRITE, subkey: true, republish: true },
  delete: { ...CALL, ...WRITE, subkey: true },
  stopRepublishing: { subkey: true },
  get: READ,
  storeMany: { ...CALL, ...WRITE },
  entry: { ...WRITE, key: true, value: true, subkey: true },
  getMany: { ...READ, onProgress: true },
  watch: { signal: true },
  findNearestPeers: { ...CALL, count: true }
}

/**
 * Throws a TypeError for an option that a call does not have. Passed over, a misspelled one would
 * change what is done: without its subkey, an entry of a dictionary is a plain value.
 */
export function assertOptionNames(call: keyof OptionsOfCalls, options: object): void {
  for (const name in options) {
    if (!Object.hasOwn(OPTIONS[call], name)) {
      throw new TypeError(
        `${call} has no option ${name}; it has ${Object.keys(OPTIONS[call]).sort().join(', ')}`
      )
    }
  }
}
