import type { GetOptions, StoreOptions, StoreReport } from '@waggle/dht'
import type { CommonDHT, HivemindDHT, HivemindFound, HivemindKey } from '@waggle/hivemind'
import type { Found, FoundValue, Key, Subkey, Value } from '@waggle/record'
import { CommandError } from '../errors.ts'
import type { CommandIO } from '../io.ts'
import { parseDuration } from '../text/time.ts'
import { withClient } from './client.ts'
import { type HivemindOptions, type NetworkOptions, namedPeers } from './network-options.ts'
import { subkeyEntry } from './subkey-entry.ts'

/** The operations that Waggle and Hivemind clients share. */
export interface CommonClient
  extends Pick<CommonDHT<Key, Value, FoundValue>, 'findNearestPeers'>,
    Pick<HivemindDHT, 'libp2p'> {
  /** Stores a value, and reports what became of it. */
  store(
    key: Key,
    value: Value,
    options: StoreOptions & { readonly expirationTime: number; readonly report: true }
  ): Promise<StoreReport>

  /** Reads a key, or one subkey of its dictionary. */
  get(
    key: Key,
    options?: GetOptions & { readonly subkey?: Subkey | undefined }
  ): Promise<Found | undefined>
}

export type CommonOptions = NetworkOptions & HivemindOptions & { readonly timeout?: string }

/** Joins either kind of network as a client for the duration of one command. */
export async function withCommonClient<T>(
  options: CommonOptions,
  io: CommandIO,
  use: (dht: CommonClient) => Promise<T>
): Promise<T> {
  if (options.hivemind !== true) {
    return withClient(options, io, use)
  }

  await using dht = await hivemindClient(options, io)
  const { tupleOf } = await import('@waggle/hivemind')
  return await use(commonClient(dht, tupleOf))
}

/**
 * Starts a client of a Hivemind network that has joined; the caller disposes of it.
 *
 * @throws CommandError without initial peers: Hivemind has no default port to probe
 */
export async function hivemindClient(options: CommonOptions, io: CommandIO): Promise<HivemindDHT> {
  const initialPeers = namedPeers(options, io)

  if (initialPeers.length === 0) {
    throw new CommandError(
      '--hivemind needs --initial-peers: what a Python peer calls its visible maddrs'
    )
  }

  const { timeout, identity } = options
  const { DEFAULT_BOOTSTRAP_TIMEOUT_MS, HivemindDHT } = await import('@waggle/hivemind')
  const timeoutMs = timeout === undefined ? undefined : parseDuration(timeout, '--timeout') * 1000
  return HivemindDHT.create({
    ...{ clientMode: true, cache: false, initialPeers, signal: io.signal },
    identityPath: identity,
    bootstrapTimeoutMs: Math.min(
      timeoutMs ?? Number.POSITIVE_INFINITY,
      DEFAULT_BOOTSTRAP_TIMEOUT_MS
    )
  })
}

type TupleOf = typeof import('@waggle/hivemind').tupleOf

function commonClient(dht: HivemindDHT, tupleOf: TupleOf): CommonClient {
  const keyOf = (key: Key): HivemindKey =>
    (Array.isArray(key) ? tupleOf(key.map(keyOf)) : key) as HivemindKey

  const get: CommonClient['get'] = async (key, { subkey, ...options } = {}) => {
    const found = await dht.get(keyOf(key), options)
    const whole = found && { value: shownValue(found), expirationTime: found.expirationTime }
    return subkey === undefined ? whole : subkeyEntry(whole, subkey)
  }

  return {
    libp2p: dht.libp2p,
    get,
    store: async (key, value, { subkey, expirationTime, timeoutMs, signal }) => {
      const call = { timeoutMs, signal }
      const place = { subkey: subkey === undefined ? undefined : keyOf(subkey) }
      const isHeld = await dht.store(keyOf(key), value, { ...call, ...place, expirationTime })
      const report = { expirationTime, replicas: [] }
      // Hivemind's peers only say whether they took the value.
      const by = isHeld ? undefined : await get(key, { ...call, subkey, latest: true })
      return by === undefined
        ? { ...report, outcome: isHeld ? 'held' : 'refused' }
        : { ...report, outcome: 'beaten', by }
    },
    findNearestPeers: async (key, options) => dht.findNearestPeers(keyOf(key), options)
  }
}

/** Converts a map with keys of bytes, which only Hivemind has, to one with text keys. */
function shownValue({ isDictionary, value }: HivemindFound): FoundValue {
  return (
    !isDictionary && value instanceof Map
      ? Object.fromEntries(Array.from(value, ([key, one]) => [String(key), one]))
      : value
  ) as FoundValue
}
