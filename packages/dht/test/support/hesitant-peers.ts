import type { PeerInfo } from '@libp2p/interface'
import type { Lookup, LookupResponse } from '../../src/lookup/lookup.ts'
import { Lookups, type LookupsInit } from '../../src/lookup/lookups.ts'
import { Search } from '../../src/lookup/search.ts'
import type { PeerBook } from '../../src/peers/peer-book.ts'
import type { CancellationToken } from '../../src/timing/cancellation.ts'
import { ACTIVE } from './cancellation.ts'
import { contacts, nearestFirst, pointOf } from './numbered-peers.ts'
import { bookOf } from './verified-peers.ts'

const target = pointOf(Uint8Array.of(7))

/** All peers, nearest to the target first. */
export const peers: readonly PeerInfo[] = nearestFirst(target, contacts(40))
export const NOTHING: LookupResponse = { closer: [] }
export const REQUEST_TIMEOUT_MS = 3000

/** Peers asked at once, by default. */
export const PARALLELISM = 3

export type Ask = Lookup<LookupResponse>['ask']

/** One request, which the test answers later. */
export interface Question {
  readonly contact: PeerInfo
  readonly cancellation: CancellationToken
  answer(answer?: LookupResponse): void
  fail(error: unknown): void
}

/** Makes peers that answer only when a test says so. */
export function hesitantPeers(): { questions: Question[]; ask: Ask } {
  const questions: Question[] = []

  return {
    questions,
    ask(contact, cancellation) {
      const { promise, resolve, reject } = Promise.withResolvers<LookupResponse>()
      questions.push({
        contact,
        cancellation,
        answer: (answer = NOTHING) => resolve(answer),
        fail: reject
      })
      return promise
    }
  }
}

export function searchFor(
  count: number,
  known: readonly PeerInfo[] = peers,
  isNeighbour: (contact: PeerInfo) => boolean = () => true
): Search {
  const search = new Search({ target, count, isNeighbour })
  search.add(known)
  return search
}

/** All lookups of a node, and their results. */
export interface Scene {
  readonly book: PeerBook
  readonly lookups: Lookups

  /** The peers whose answers or failures a lookup took in, in order. */
  readonly taken: [rank: number, hasAnswered: boolean][]

  /** Runs a lookup that takes in every answer. */
  run(search: Search, ask: Ask, differences?: Partial<Lookup<LookupResponse>>): Promise<unknown>
}

export function scene(init: Partial<LookupsInit> = {}): Scene {
  const book = init.peers ?? bookOf(peers, { nowMs: () => 0 })
  const taken: Scene['taken'] = []
  const lookups = new Lookups({
    peers: book,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    isReady: () => true,
    ...init
  })

  return {
    book,
    lookups,
    taken,
    run: (search, ask, differences = {}) =>
      lookups.run({
        search,
        ask,
        cancellation: ACTIVE,
        parallelism: PARALLELISM,
        isHedged: false,
        take: (contact, answer) => {
          taken.push([rankOf(contact), answer !== undefined])
          return false
        },
        ...differences
      })
  }
}

/** Counts the peers that are nearer to the target. */
export function rankOf({ id }: PeerInfo): number {
  return peers.findIndex((peer) => peer.id.equals(id))
}

export function ranksAsked(questions: readonly Question[]): number[] {
  return questions.map(({ contact }) => rankOf(contact))
}

/** Lists the ranks of the avoided peers. */
export function avoidedRanks({ book }: Scene): number[] {
  return [...peers.keys()].filter((rank) => book.isAvoided(peers[rank] as PeerInfo))
}
