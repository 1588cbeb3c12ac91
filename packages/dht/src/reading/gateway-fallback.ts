import type { PeerInfo } from '@libp2p/interface'
import { type DHTRecord, EMPTY_RECORD, isEmpty, join, type MaybePromise } from '@waggle/record'
import type { UnreachableServers } from '../peers/unreachable-servers.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import type { GatewayReading, Gateways } from './gateways.ts'
import type { KnownRecords } from './known-records.ts'
import { isSufficient, type Reading, type ReadOptions } from './reading.ts'
import { joinResults, type WriteResult } from './write-replies.ts'

export interface GatewayFallbackInit {
  readonly gateways: Gateways
  readonly unreachable: UnreachableServers

  /** Whether this node is a client. A server that cannot reach others says so (N11). */
  readonly isClient: () => boolean
}

/** Outcomes of a write at a gateway after which no replica need be asked. */
const SETTLED: readonly WriteResult['outcome'][] = ['held', 'beaten', 'expired']

/** Makes the reading of all that was found directly, given the nearest servers that did not respond. */
export type Complete = (missing: readonly PeerInfo[], read: () => Reading) => MaybePromise<Reading>

/** Reads directly, and resolves with the completed reading. */
type DirectRead = (complete: Complete) => Promise<Reading>

/** Writes directly. Calls back with the nearest servers that did not respond, before it resolves or rejects. */
type DirectWrite = (onMissing: (missing: readonly PeerInfo[]) => void) => Promise<WriteResult>

/**
 * Falls back on gateways for replicas that a client cannot dial (N14). The client asks replicas itself first, unless it
 * knows that at least half of a key's are out of reach. While servers are full, one gateway does all of the work, so
 * that a client takes up one place, and not one at each replica.
 */
export class GatewayFallback {
  readonly #init: GatewayFallbackInit

  constructor(init: GatewayFallbackInit) {
    this.#init = init
  }

  /** Whether gateways are asked first. */
  isNeeded(key: Uint8Array): boolean {
    return this.#isScarce(key) || this.#share(key) >= 1 / 2
  }

  /** Lists the gateways to ask about a key. */
  gatewaysFor(key: Uint8Array): readonly PeerInfo[] {
    return this.#init.gateways.for(key)
  }

  /** Takes note of replicas that did not respond. Returns whether a gateway may reach them. */
  add(missing: readonly PeerInfo[]): boolean {
    return missing.length > 0 && this.#init.isClient() && this.#init.unreachable.add(missing)
  }

  /** Reads directly and by gateways, as far as that is needed. */
  read(
    key: Uint8Array,
    options: ReadOptions,
    { known, direct }: { known: KnownRecords; direct: DirectRead }
  ): Promise<Reading> {
    // Replicas held after this moment whatever a gateway finds.
    const read = { key, options, known, freshMs: known.nowMs() }
    return this.isNeeded(key) ? this.#gatewaysFirst(read, direct) : this.#readDirectly(read, direct)
  }

  async #gatewaysFirst(read: Read, direct: DirectRead): Promise<Reading> {
    const { key, options } = read
    const isScarce = this.#isScarce(key)
    const asking = this.#init.gateways.read(key, options, isScarce)
    asking.catch(() => {})
    // `latest`, and an absent key, take all replicas that can be reached: gateways may lie, and so may peers that
    // name missing replicas.
    const early = isScarce || options.latest !== true ? await asking : undefined
    return early !== undefined && isAnswer(early, isScarce)
      ? readingOf(read, { found: [early] })
      : this.#readDirectly(read, direct, asking)
  }

  /** Reads directly, and by gateways if any of the replicas are out of reach. */
  #readDirectly(
    read: Read,
    direct: DirectRead,
    asking?: Promise<GatewayReading | undefined>
  ): Promise<Reading> {
    return direct((missing, readFound) =>
      this.add(missing) ? this.#complete(read, readFound, asking) : readFound()
    )
  }

  /** Adds what gateways find to what was found directly, which may be nothing. */
  async #complete(
    read: Read,
    readFound: () => Reading,
    asking?: Promise<GatewayReading | undefined>
  ): Promise<Reading> {
    const { key, options } = read
    let reading: Reading | undefined
    let failure: unknown

    try {
      reading = readFound()
    } catch (error) {
      failure = error
    }

    const late = await (asking ?? this.#init.gateways.read(key, options, false))
    const found = [reading, unlessFailed(late)].filter((one) => one !== undefined)
    return readingOf(read, { found, failure: late?.error ?? failure })
  }

  /** Writes directly, and by a gateway if any of the replicas are out of reach; by it alone while servers are full. */
  async write(
    key: Uint8Array,
    write: DHTRecord,
    { cancellation, direct }: { cancellation: CancellationToken; direct: DirectWrite }
  ): Promise<WriteResult> {
    const send = (): Promise<WriteResult | undefined> =>
      this.#init.gateways.write(key, write, cancellation)
    const isScarce = this.#isScarce(key)
    const early = isScarce || this.#share(key) > 0 ? send() : undefined
    const first = isScarce ? await early : undefined

    if (first !== undefined && SETTLED.includes(first.outcome)) {
      return first
    }

    let isMissing = false
    const result = await direct((missing) => {
      isMissing = this.add(missing)
    })
    const isRelayed = early !== undefined || (isMissing && !cancellation.isCancelled)
    const relayed = isRelayed ? await (early ?? send()) : undefined
    return relayed === undefined ? result : joinResults(result, relayed)
  }

  #isScarce(key: Uint8Array): boolean {
    return this.#init.isClient() && this.#init.unreachable.isScarce(key)
  }

  #share(key: Uint8Array): number {
    return this.#init.isClient() ? this.#init.unreachable.share(key) : 0
  }
}

/** Whether a gateway has found a value, or if its word is enough, that there is none. */
function isAnswer({ record, error }: GatewayReading, isOneEnough: boolean): boolean {
  return !isEmpty(record) || (isOneEnough && error === undefined)
}

function unlessFailed(reading: GatewayReading | undefined): GatewayReading | undefined {
  return reading?.error === undefined ? reading : undefined
}

interface Read {
  readonly key: Uint8Array
  readonly options: ReadOptions
  readonly known: KnownRecords
  readonly freshMs: number
}

interface Readings {
  readonly found: readonly Pick<GatewayReading, 'record' | 'responded'>[]

  /** Thrown if nothing is found. */
  readonly failure?: unknown
}

/**
 * Joins the results with the record that this node knows by now, so that a stale answer undoes nothing.
 */
function readingOf({ key, options, known, freshMs }: Read, { found, failure }: Readings): Reading {
  if (found.length === 0) {
    throw failure
  }

  const { clock, limits } = known.store
  const joined = found.reduce(
    (record, one) => (isEmpty(record) ? one.record : join(record, one.record, limits)),
    EMPTY_RECORD
  )
  const record = known.complete(key, joined, options.subkey)
  const isEnough = isSufficient({ record, freshMs }, options, clock())
  return {
    ...{ record, freshMs, end: isEnough ? 'enough' : 'whole', behind: [], without: [] },
    responded: Math.max(...found.map(({ responded }) => responded))
  }
}
