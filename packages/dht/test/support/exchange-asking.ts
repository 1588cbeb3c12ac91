import type { PeerInfo } from '@libp2p/interface'
import {
  type Answer,
  ExchangeClient,
  type ExchangeClientInit
} from '../../src/exchange/exchange-client.ts'
import type { FoundReply, StoredReply } from '../../src/exchange/messages.ts'
import type { ExchangeRequest, FindQuestion, StoreQuestion } from '../../src/exchange/requests.ts'
import type { EncodedPeer } from '../../src/wire/peer-codec.ts'
import { PeerDecoder } from '../../src/wire/peer-codec.ts'
import { Mailbox } from './exchange-mailbox.ts'
import type { StreamSource } from './exchange-streams.ts'
import { Talker } from './exchange-talker.ts'

/** The key, and the record, that a name stands for. */
export function bytesOf(name: string): Uint8Array {
  return new TextEncoder().encode(name)
}

export function find(key: string, differences: Partial<FindQuestion> = {}): FindQuestion {
  return { name: 'find', key: bytesOf(key), closerCount: 5, isCloserAlways: false, ...differences }
}

export function store(key: string, differences: Partial<StoreQuestion> = {}): StoreQuestion {
  return {
    name: 'store',
    key: bytesOf(key),
    record: bytesOf(key),
    closerCount: 5,
    isCopy: false,
    ...differences
  }
}

/** A reply to a FIND with these records; null: none is held. */
export function found(
  id: number,
  records: readonly (string | null)[],
  peers: readonly EncodedPeer[] = []
): FoundReply {
  const closer = peers.map((_, place) => place)
  const answers = records.map((record) =>
    record === null ? { closer } : { record: bytesOf(record), closer }
  )
  return { name: 'found', id, peers, answers }
}

export function stored(id: number, outcomes: readonly ('accepted' | 'stale')[]): StoredReply {
  return {
    name: 'stored',
    id,
    peers: [],
    answers: outcomes.map((outcome) => ({ outcome, closer: [] }))
  }
}

/** The records, or outcomes, of some answers. */
export function told(answers: readonly Answer[]): (string | undefined)[] {
  return answers.map(
    ({ record, outcome }) => outcome ?? (record && new TextDecoder().decode(record))
  )
}

/** A client to a peer that is reached by these means. */
export function clientOf(open: ExchangeClientInit['open']): ExchangeClient {
  return new ExchangeClient({ open, contactOf })
}

function contactOf(peer: EncodedPeer): PeerInfo | undefined {
  return contacts.of(peer)
}

const contacts = new PeerDecoder()

/** A client, and the peer that it asks in the hands of a test. */
export interface Asking {
  readonly client: ExchangeClient

  /** How many streams the client has opened, and how often it had nothing open or waiting any more. */
  readonly counts: { opened: number; idle: number }

  ask(...questions: ExchangeRequest[]): Promise<Answer[]>

  /** The other end of the next stream that the client opens. */
  peer(): Promise<Talker>

  /** The client's own ends, in the order of their opening. */
  readonly streams: Talker['stream'][]
}

export function asking(source: StreamSource): Asking {
  const talkers = new Mailbox<Talker>()
  const counts = { opened: 0, idle: 0 }
  const streams: Talker['stream'][] = []

  const client = new ExchangeClient({
    open: async () => {
      const [mine, theirs] = await source.open()
      counts.opened++
      streams.push(mine)
      talkers.push(new Talker(theirs))
      return mine
    },
    contactOf,
    onIdle: () => counts.idle++
  })

  return {
    client,
    counts,
    streams,
    ask: (...questions) => Promise.all(questions.map((question) => client.ask(question))),
    peer: () => talkers.next()
  }
}
