import type { PeerInfo } from '@libp2p/interface'
import { apply, type DHTRecord, join, type Rejection } from '@waggle/record'
import { lastExpiration } from '@waggle/record/replica'
import type { ReplyOutcome, StoreReply } from '../lookup/record-channel.ts'
import type { RecordStore } from '../store/record-store.ts'

/** The outcome of a write at one peer. `busy`, `failed`: it did not answer. */
export type PeerOutcome = ReplyOutcome | 'busy' | 'failed'

/**
 * The outcome of a write (N6). `held`: a replica has it, and nothing is known to beat it. `beaten`,
 * `expired`: the rules say no. The others say why no replica has it.
 */
export type WriteOutcome =
  | 'held'
  | 'beaten'
  | 'expired'
  | 'full'
  | 'refused'
  | 'busy'
  | 'unreachable'

export interface WriteResult {
  readonly outcome: WriteOutcome

  /** The nearest peers, those that failed, and all that hold an entry which beats the write. */
  readonly peers: ReadonlyMap<PeerInfo, PeerOutcome>

  /** The record that beats the write. */
  readonly winner: DHTRecord | undefined
}

/** The result of a write whose time was over before it began (R14). */
export const EXPIRED_WRITE: WriteResult = {
  outcome: 'expired',
  peers: new Map(),
  winner: undefined
}

/** Joins what two ways to the same replicas have come to. */
export function joinResults(a: WriteResult, b: WriteResult): WriteResult {
  const [best] = [a, b].sort((x, y) => RANKS.indexOf(x.outcome) - RANKS.indexOf(y.outcome))
  const peers = new Map<string, [PeerInfo, PeerOutcome]>()

  for (const [peer, outcome] of [...a.peers, ...b.peers]) {
    const [, before = 'failed'] = peers.get(peer.id.toString()) ?? []
    const isBetter = ORDER.indexOf(outcome) <= ORDER.indexOf(before)
    peers.set(peer.id.toString(), [peer, isBetter ? outcome : before])
  }

  return {
    outcome: best?.outcome ?? a.outcome,
    peers: new Map(peers.values()),
    winner: a.winner ?? b.winner
  }
}

/** Gathers the replies of peers to one write. */
export class WriteReplies {
  readonly #write: DHTRecord
  readonly #store: RecordStore
  readonly #peers = new Map<PeerInfo, PeerOutcome>()
  #winner: DHTRecord | undefined

  /** @param store for its limits and its clock */
  constructor(write: DHTRecord, store: RecordStore) {
    this.#write = write
    this.#store = store
  }

  /**
   * Takes in a reply, or a failure, and says whether it counts as a reply: that something beats the
   * write has to be proven (N6).
   */
  take(contact: PeerInfo, reply?: Omit<StoreReply, 'closer'>, error?: Error): boolean {
    if (reply === undefined) {
      this.#peers.set(contact, error?.name === 'BusyError' ? 'busy' : 'failed')
      return true
    }

    const outcome = reply.outcome === 'stale' ? this.#judge(reply.winner) : reply.outcome
    this.#peers.set(contact, outcome)
    return outcome !== 'failed'
  }

  /** Says what became of the write. Others than the nearest count only if they hold what beats it. */
  result(nearest: readonly PeerInfo[]): WriteResult {
    const peers = this.#peers
    let best: PeerOutcome = 'failed'

    for (const [contact, outcome] of peers) {
      if (!isAlwaysTold(outcome) && !nearest.includes(contact)) {
        peers.delete(contact)
      } else if (ORDER.indexOf(outcome) < ORDER.indexOf(best)) {
        best = outcome
      }
    }

    return { outcome: this.#outcomeOf(best), peers, winner: this.#winner }
  }

  /** Checks the proof that something beats the write. */
  #judge(winner: DHTRecord | undefined): Rejection | 'failed' {
    const { clock, limits } = this.#store
    const applied = winner && apply(winner, this.#write, { now: clock(), limits })

    if (winner === undefined || applied === undefined || applied.isAccepted) {
      return 'failed'
    }

    if (applied.reason === 'stale') {
      this.#winner = this.#winner === undefined ? winner : join(this.#winner, winner, limits)
    }

    return applied.reason
  }

  #outcomeOf(best: PeerOutcome): WriteOutcome {
    switch (best) {
      case 'accepted':
        return 'held'
      case 'stale':
        return 'beaten'
      case 'expired':
        return lastExpiration(this.#write) <= this.#store.clock() ? 'expired' : 'refused'
      case 'failed':
        return 'unreachable'
      default:
        return best
    }
  }
}

/** Outcomes at peers, the one first that decides what became of the write. */
const ORDER: readonly PeerOutcome[] = [
  'stale',
  'accepted',
  'full',
  'refused',
  'expired',
  'busy',
  'failed'
]

/** Outcomes of a write, in the same order. */
const RANKS: readonly WriteOutcome[] = [
  'beaten',
  'held',
  'full',
  'refused',
  'expired',
  'busy',
  'unreachable'
]

function isAlwaysTold(outcome: PeerOutcome): boolean {
  return outcome === 'stale' || outcome === 'busy' || outcome === 'failed'
}
