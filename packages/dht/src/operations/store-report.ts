import type { PeerId, PeerInfo } from '@libp2p/interface'
import type { DHTTime, Found } from '@waggle/record'
import type { PeerOutcome, WriteOutcome } from '../reading/write-replies.ts'

/**
 * The outcome of a write. `held`: at least one replica has it, and nothing is known to beat it. `beaten`:
 * something that wins is there. `expired`: its time was over. The others say why no replica has it: all
 * that responded are full, or refuse it by rules of their own; all are busy; or none responded.
 */
export type StoreOutcome = WriteOutcome

/** The outcome of a write at one peer. `expired`: by its clock. `busy`, `failed`: it did not respond. */
export interface ReplicaOutcome {
  readonly peer: PeerId
  readonly outcome: 'accepted' | 'beaten' | 'full' | 'refused' | 'expired' | 'busy' | 'failed'
}

/** All that is known of what became of a write. */
export type StoreReport = {
  readonly expirationTime: DHTTime

  /** The nearest peers, those that failed, and all that hold an entry which beats the write. */
  readonly replicas: readonly ReplicaOutcome[]
} & (
  | { readonly outcome: 'beaten'; readonly by: Found | 'a deletion' }
  | { readonly outcome: Exclude<StoreOutcome, 'beaten'>; readonly by?: undefined }
)

/** The option that selects the result of a write. */
export interface Report<R extends boolean> {
  /**
   * Whether the call resolves with a `StoreReport`, whatever the outcome, instead of whether the write is
   * held.
   *
   * @default false
   */
  report?: R | undefined
}

/** The result of a write. */
export type Result<R extends boolean> = R extends true ? StoreReport : boolean

/**
 * Thrown when no replica took a write: all that responded are full, or refuse it by rules of their own.
 * `storeMany` throws it for any outcome for which `store` rejects, once it has tried everything.
 */
export class NotStoredError extends Error {
  static override readonly name = 'NotStoredError'
  override readonly name = 'NotStoredError'

  /** The outcome of the first write that no replica has. */
  readonly outcome: NotStored

  /**
   * Of each write of `storeMany`, in its order; of `store` one. Without `report`, those of writes that are
   * held name no replicas.
   */
  readonly reports: readonly StoreReport[]

  constructor(outcome: NotStored, reports: readonly StoreReport[]) {
    super(messageOf(outcome, reports))
    this.outcome = outcome
    this.reports = reports
  }
}

/** Outcomes of writes that no replica has, and that the rules allow. */
export type NotStored = Exclude<StoreOutcome, 'held' | 'beaten' | 'expired'>

/** Whether no replica has a write that the rules allow. */
export function isNotStored(outcome: StoreOutcome): outcome is NotStored {
  return outcome !== 'held' && outcome !== 'beaten' && outcome !== 'expired'
}

const REASONS: Readonly<Record<NotStored, string>> = {
  full: 'all replicas that responded are full: store less, for a shorter time, or add servers',
  refused:
    'all replicas that responded refuse it, by a validator, their allowPeer or limits of their own, or because their clocks are ahead',
  busy: 'no replica that could responded, and some had too much to do: try again later, or with less at once',
  unreachable: 'no peer responded: the network can’t be reached'
}

function messageOf(outcome: NotStored, reports: readonly StoreReport[]): string {
  const failed = reports.filter((report) => isNotStored(report.outcome)).length
  const what = reports.length <= 1 ? 'not stored' : `${failed} of ${reports.length} not stored`
  return `${what}: ${REASONS[outcome]}`
}

/** Lists what each peer made of a write, once for each peer: of several attempts the last one counts. */
export function replicaOutcomes(peers: ReadonlyMap<PeerInfo, PeerOutcome>): ReplicaOutcome[] {
  const outcomes = new Map<string, ReplicaOutcome>()

  for (const [{ id }, outcome] of peers) {
    outcomes.set(id.toString(), { peer: id, outcome: outcome === 'stale' ? 'beaten' : outcome })
  }

  return [...outcomes.values()]
}
