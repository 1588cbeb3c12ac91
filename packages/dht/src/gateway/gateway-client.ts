import type { Logger, PeerInfo } from '@libp2p/interface'
import { apply, type DHTRecord, EMPTY_RECORD, encodeRecord, isEmpty, join } from '@waggle/record'
import { lastExpiration, project } from '@waggle/record/replica'
import { TaskQueue } from '../admission/task-queue.ts'
import { SEARCH_WIDTH } from '../constants.ts'
import { busyError, UnreachableError } from '../errors.ts'
import type { Lookups } from '../lookup/lookups.ts'
import { pointOfKey } from '../peers/key-space.ts'
import type { PeerBook } from '../peers/peer-book.ts'
import { peerIdIn } from '../peers/peer-id-bytes.ts'
import type { Routing } from '../peers/routing.ts'
import type { GatewayReading, Gateways } from '../reading/gateways.ts'
import type { ReadOptions } from '../reading/reading.ts'
import type { PeerOutcome, WriteResult } from '../reading/write-replies.ts'
import { type Judge, receivedRecord } from '../store/received-record.ts'
import type { RecordStore } from '../store/record-store.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import type { Activity } from '../wire/activity.ts'
import { type ClientParts, ProtocolClient } from '../wire/protocol-client.ts'
import {
  GATEWAY_PROTOCOL,
  type GatewayMessage,
  type ReadAnswer,
  type ReplicaAnswer,
  type WriteAnswer
} from './gateway-messages.ts'
import {
  GATEWAY_REQUESTS,
  type GatewayRequest,
  type GatewayResponse,
  type ReadOne
} from './gateway-requests.ts'

export interface GatewayClientInit extends ClientParts, Pick<Judge, 'onForgery'> {
  readonly log: Logger

  /** For its limits, its checks and its clock. */
  readonly store: RecordStore
  readonly routing: Routing
  readonly peers: PeerBook
  readonly lookups: Pick<Lookups, 'inTime'>
}

/**
 * Gateways whose answers a `latest` read joins, and that must agree on absence, if this many answer.
 */
const ANSWERS = 2

/** Gateways asked for one call. */
const MAX_ASKED = 4

/** Keys asked about at once: gateways look up no more for one client. */
const MAX_UNDER_WAY = 512

/** The answer of one gateway. */
type Answered =
  | Exclude<ReadAnswer, { state: 'held' }>
  | { state: 'held'; record: DHTRecord; responded: number }

/**
 * Has servers look up and store on behalf of this node (N14). They send records with their signatures, which
 * are checked here like anybody's, so a gateway can hold something back, but forge nothing.
 */
export class GatewayClient implements Gateways {
  readonly #init: GatewayClientInit
  readonly #client: ProtocolClient<GatewayRequest, GatewayResponse, GatewayMessage>
  readonly #queue = new TaskQueue({ maxRunning: MAX_UNDER_WAY })

  constructor(init: GatewayClientInit) {
    this.#init = init
    this.#client = new ProtocolClient({
      ...init,
      id: GATEWAY_PROTOCOL,
      speak: () => GATEWAY_REQUESTS
    })
  }

  /**
   * Connected servers come first, then the nearest ones, because they may hold the key, and last those that have just
   * refused a connection.
   */
  for(key: Uint8Array): PeerInfo[] {
    const { peers, routing } = this.#init
    const usable = routing
      .nearest(pointOfKey(key), SEARCH_WIDTH)
      .filter(
        (peer) => !this.#client.lacks(peer) && !peers.isAvoided(peer) && !peers.isBanned(peer.id)
      )
    const rank = ({ id }: PeerInfo): number =>
      peers.isConnected(id) ? 0 : 1 + Number(peers.isOutOfReach(id))
    return usable.sort((a, b) => rank(a) - rank(b))
  }

  async read(
    key: Uint8Array,
    options: ReadOptions,
    isOneEnough: boolean
  ): Promise<GatewayReading | undefined> {
    const { cancellation, latest = false, sufficientExpirationTime = 0 } = options
    const isLatest = latest || sufficientExpirationTime > 0
    const request = { name: 'read', key, subkey: options.subkey, isLatest } as const
    const candidates = this.for(key).slice(0, MAX_ASKED)
    const answers: Answered[] = []
    const wanted = isOneEnough ? 1 : ANSWERS
    const isEnough = (): boolean =>
      answers.filter(isDecisive).length >= wanted ||
      (!isLatest && answers.some(({ state }) => state === 'held'))

    while (candidates.length > 0 && !isEnough() && !cancellation.isCancelled) {
      const missing = wanted - answers.filter(isDecisive).length
      const asked = candidates.splice(0, isLatest ? missing : 1)
      const heard = await Promise.all(
        asked.map((gateway) => this.#readAt(gateway, request, cancellation))
      )
      answers.push(...heard.filter((answer) => answer !== undefined))
    }

    return answers.length === 0 ? undefined : this.#joined(answers)
  }

  async write(
    key: Uint8Array,
    write: DHTRecord,
    cancellation: CancellationToken
  ): Promise<WriteResult | undefined> {
    const record = encodeRecord(write)
    let last: WriteResult | undefined

    for (const gateway of this.for(key).slice(0, MAX_ASKED)) {
      const request = { name: 'write', key, record } as const
      const answer = (await this.#ask(gateway, request, cancellation)) as WriteAnswer | undefined
      const result = answer && (await this.#judged(gateway, { key, write, answer }))
      last = result ?? last

      if (result?.outcome === 'held' || result?.outcome === 'beaten' || cancellation.isCancelled) {
        break
      }
    }

    return last
  }

  /** The time of a peer's last progress, in ms of the process's clock. */
  progressMs(peer: PeerInfo): number {
    return this.#client.progressMs(peer)
  }

  /** Returns the activity with a peer. */
  activityOf(peer: PeerInfo['id']): Activity {
    return this.#client.activityOf(peer)
  }

  /** Ends all streams. */
  close(): void {
    this.#client.close()
  }

  /** Resolves with undefined if the gateway fails, or is none. */
  async #ask(
    gateway: PeerInfo,
    request: GatewayRequest,
    cancellation: CancellationToken
  ): Promise<GatewayResponse | undefined> {
    const { log, lookups } = this.#init

    try {
      return await this.#queue.run(gateway.id.toString(), () =>
        lookups.inTime(
          gateway,
          this.#client.request<GatewayResponse | undefined>(gateway, request, {
            cancellation,
            onResponse: (response) => response,
            fallback: () => undefined
          })
        )
      )
    } catch (error) {
      log('the gateway %p has not answered - %e', gateway.id, error)
      return undefined
    }
  }

  async #readAt(
    gateway: PeerInfo,
    request: ReadOne,
    cancellation: CancellationToken
  ): Promise<Answered | undefined> {
    const answer = (await this.#ask(gateway, request, cancellation)) as ReadAnswer | undefined

    if (answer?.state !== 'held') {
      return answer
    }

    const { key, subkey } = request
    const record = await receivedRecord(gateway, key, answer.record, this.#init)
    const wanted = record && subkey !== undefined ? project(record, [subkey]) : record
    // One that breaks the rules, or holds nothing of what was asked for, counts as no answer.
    return wanted === undefined || isEmpty(wanted) ? undefined : { ...answer, record: wanted }
  }

  #joined(answers: readonly Answered[]): GatewayReading {
    const { limits } = this.#init.store
    let record = EMPTY_RECORD
    let [responded, failed, busy] = [0, 0, 0]

    for (const answer of answers) {
      busy += Number(answer.state === 'busy')
      responded = Math.max(responded, 'responded' in answer ? answer.responded : 0)
      failed = Math.max(failed, answer.state === 'unreachable' ? answer.failed : 0)
      record = answer.state === 'held' ? join(record, answer.record, limits) : record
    }

    const decisive = answers.filter(isDecisive)
    const isKnown = !isEmpty(record) || decisive.length >= Math.min(ANSWERS, answers.length)
    const error = busy > 0 ? busyError(busy) : new UnreachableError(failed, responded)
    return { record, responded, error: isKnown ? undefined : error }
  }

  /** Checks a gateway's reply to a write; undefined if it lacks the proof (N6). */
  async #judged(
    gateway: PeerInfo,
    { key, write, answer }: { key: Uint8Array; write: DHTRecord; answer: WriteAnswer }
  ): Promise<WriteResult | undefined> {
    const { clock, limits } = this.#init.store
    const peers = new Map(answer.replicas.flatMap(replicaOf))

    if (answer.outcome === 'expired') {
      const isExpired = lastExpiration(write) <= clock()
      return { outcome: isExpired ? 'expired' : 'refused', peers, winner: undefined }
    }

    if (answer.outcome !== 'beaten') {
      return { outcome: answer.outcome, peers, winner: undefined }
    }

    const winner = answer.winner && (await receivedRecord(gateway, key, answer.winner, this.#init))
    const applied = winner && apply(winner, write, { now: clock(), limits })
    const isProven = applied?.isAccepted === false && applied.reason === 'stale'
    return isProven ? { outcome: 'beaten', peers, winner } : undefined
  }
}

/**
 * Whether an answer has the replicas' records, and does not only say that too few of them responded.
 */
function isDecisive(answer: Answered): boolean {
  return answer.state === 'held' || (answer.state === 'absent' && answer.responded > 0)
}

/** Decodes what one replica made of a write; nothing if its id is none. */
function replicaOf({ id, outcome }: ReplicaAnswer): [PeerInfo, PeerOutcome][] {
  try {
    const peer = peerIdIn(id)
    return [[{ id: peer, multiaddrs: [] }, outcome]]
  } catch {
    return []
  }
}
