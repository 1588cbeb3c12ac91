import type { Counter, CounterGroup, HistogramGroup, Metrics } from '@libp2p/interface'
import type { CallFailure, CallObserver } from '../timing/calls.ts'

/** Seconds, from a cached answer to the timeout of a call. */
const LATENCY_BUCKETS = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30]

/** Names of the calls in metrics. */
const CALLS: Readonly<Record<string, string>> = {
  store: 'store',
  get: 'get',
  delete: 'delete',
  storeMany: 'store_many',
  getMany: 'get_many',
  inspect: 'inspect',
  findNearestPeers: 'find_nearest_peers',
  publish: 'publish'
}

const ERRORS: Readonly<Record<string, string>> = {
  AbortError: 'aborted',
  BusyError: 'busy',
  TimeoutError: 'timeout',
  UnreachableError: 'unreachable'
}

/** Counts a node's operations with libp2p's metrics. docs/running.md explains each metric. */
export class Meter implements CallObserver {
  readonly #calls = new Map<string, CounterGroup>()
  readonly #seconds: HistogramGroup
  readonly #replicas: CounterGroup
  readonly #reads: CounterGroup
  readonly #records: CounterGroup
  readonly #misfits: Counter
  readonly #handedOver: Counter
  readonly #handedOverBytes: Counter

  /** `prefix` begins all names, and distinguishes the networks of one node. */
  constructor(metrics: Metrics, prefix: string = 'waggle') {
    for (const [call, name] of Object.entries(CALLS)) {
      const help = `Calls of ${call} that ended, by outcome`
      const counter = metrics.registerCounterGroup(`${prefix}_${name}_total`, {
        label: 'outcome',
        help
      })
      this.#calls.set(call, counter)
    }

    this.#seconds = metrics.registerHistogramGroup(`${prefix}_call_seconds`, {
      label: 'call',
      help: 'Seconds that calls took',
      buckets: LATENCY_BUCKETS
    })
    this.#replicas = metrics.registerCounterGroup(`${prefix}_replicas_total`, {
      label: 'outcome',
      help: "Replicas' responses to this node's writes"
    })
    this.#reads = metrics.registerCounterGroup(`${prefix}_reads_total`, {
      label: 'from',
      help: 'Reads, by source of the answer'
    })
    this.#records = metrics.registerCounterGroup(`${prefix}_records_total`, {
      label: 'event',
      help: 'Records that this node has stored for others, and that expired here'
    })
    this.#misfits = metrics.registerCounter(`${prefix}_misfits_total`, {
      help: 'Values found that fit no schema of the handle that read them'
    })
    this.#handedOver = metrics.registerCounter(`${prefix}_handed_over_records_total`, {
      help: 'Records that upkeep has sent to other peers'
    })
    this.#handedOverBytes = metrics.registerCounter(`${prefix}_handed_over_bytes_total`, {
      help: 'Bytes of records that upkeep has sent to other peers'
    })
  }

  onEnd(call: string, tookMs: number, result: unknown): void {
    this.#count(call, tookMs, outcomeOf(call, result))
  }

  onFailure(call: string, tookMs: number, { reason, isAborted }: CallFailure): void {
    const known = reason instanceof Error ? ERRORS[reason.name] : undefined
    const outcome = known ?? (isAborted ? 'aborted' : 'error')
    this.#count(call, tookMs, outcome)
  }

  /** Counts the replicas' responses to one write. */
  countOutcomes(outcomes: Iterable<string>): void {
    for (const outcome of outcomes) {
      this.#replicas.increment({ [outcome]: true })
    }
  }

  /** Counts a value that was found and left out. */
  countMisfit(): void {
    this.#misfits.increment()
  }

  /** Counts a read by the source of its answer. */
  read(from: 'cache' | 'store' | 'network'): void {
    this.#reads.increment({ [from]: true })
  }

  record(event: 'stored' | 'expired'): void {
    this.#records.increment({ [event]: true })
  }

  countHandOver(sizeBytes: number): void {
    this.#handedOver.increment()
    this.#handedOverBytes.increment(sizeBytes)
  }

  /** Counts one of the {@link CALLS}. Waiting for a state is none of them. */
  #count(call: string, tookMs: number, outcome: string): void {
    const name = CALLS[call]

    if (name !== undefined) {
      this.#calls.get(call)?.increment({ [outcome]: true })
      this.#seconds.observe({ [name]: tookMs / 1000 })
    }
  }
}

function outcomeOf(call: string, result: unknown): string {
  if (hasOutcome(result)) {
    return result.outcome
  }

  if (result === undefined) {
    return 'not_found'
  }

  // Replicas of this network report only whether they hold the write.
  if (typeof result === 'boolean') {
    return result ? 'held' : 'refused'
  }

  return call === 'get' ? 'found' : 'done'
}

function hasOutcome(result: unknown): result is { readonly outcome: string } {
  return typeof result === 'object' && result !== null && 'outcome' in result
}
