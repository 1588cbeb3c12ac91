import type { FoundReply, StoredReply } from '../../src/exchange/messages.ts'
import {
  type ExchangeRequest,
  type ExchangeResponse,
  exchangeRequests,
  type FindOne,
  type StoreOne
} from '../../src/exchange/requests.ts'
import type { EncodedPeer } from '../../src/wire/fields.ts'
import { PeerDecoder } from '../../src/wire/peer-codec.ts'
import type { RequestStreamLimits } from '../../src/wire/request-stream.ts'
import { Mailbox } from './exchange-mailbox.ts'
import type { StreamSource } from './exchange-streams.ts'
import { Talker } from './exchange-talker.ts'
import { findKey, held, nothing } from './find-answers.ts'
import { type Asker, askerOf, type OpenStream } from './protocol-asker.ts'

/** Returns the bytes of the key, or of the record, with a name. */
export function bytesOf(name: string): Uint8Array {
  return new TextEncoder().encode(name)
}

export function find(key: string, differences: Partial<FindOne> = {}): FindOne {
  return {
    ...{ name: 'find', ...findKey(bytesOf(key)) },
    ...{ closerCount: 5, isCloserAlways: false, maxAge: 0 },
    ...differences
  }
}

export function store(key: string, differences: Partial<StoreOne> = {}): StoreOne {
  return {
    name: 'store',
    key: bytesOf(key),
    record: bytesOf(key),
    known: 0,
    closerCount: 5,
    isCacheOnly: false,
    ...differences
  }
}

/** Makes a reply to a FIND with these records; null stands for none. */
export function found(
  id: number,
  records: readonly (string | null)[],
  peers: readonly EncodedPeer[] = []
): FoundReply {
  const closer = peers.map((_, place) => place)
  const answers = records.map((record) =>
    record === null ? nothing(closer) : held(bytesOf(record), closer)
  )
  return { name: 'found', id, peers, answers }
}

export function stored(id: number, outcomes: readonly ('accepted' | 'stale')[]): StoredReply {
  return {
    name: 'stored',
    id,
    peers: [],
    answers: outcomes.map((outcome) =>
      outcome === 'stale' ? { outcome, winner: undefined, closer: [] } : { outcome, closer: [] }
    )
  }
}

/** Lists the records, or the outcomes, of some answers. */
export function told(answers: readonly ExchangeResponse[]): (string | undefined)[] {
  return answers.map(
    ({ record, outcome }) => outcome ?? (record && new TextDecoder().decode(record))
  )
}

export type ExchangeAsker = Asker<ExchangeRequest, ExchangeResponse>

/** Makes a client that opens its streams with a function. */
export function clientOf(
  open: OpenStream,
  limits?: Partial<RequestStreamLimits>,
  onEnd?: () => void
): ExchangeAsker {
  return askerOf({ open, speak: () => exchangeRequests((peer) => decoder.of(peer)), limits, onEnd })
}

const decoder = new PeerDecoder()

/** A client and its peer, which a test controls. */
export interface Asking {
  readonly client: ExchangeAsker

  /** Streams that the client has opened, and times at which it had none left. */
  readonly counts: { opened: number; idle: number }

  ask(...requests: ExchangeRequest[]): Promise<ExchangeResponse[]>

  /** Resolves with the other end of the next stream that the client opens. */
  peer(): Promise<Talker>

  /** The client's own ends, in the order of their opening. */
  readonly streams: Talker['stream'][]
}

export function asking(source: StreamSource, limits?: Partial<RequestStreamLimits>): Asking {
  const talkers = new Mailbox<Talker>()
  const counts = { opened: 0, idle: 0 }
  const streams: Talker['stream'][] = []
  const open = async (): Promise<Talker['stream']> => {
    const [mine, theirs] = await source.open()
    counts.opened++
    streams.push(mine)
    talkers.push(new Talker(theirs))
    return mine
  }
  const client = clientOf(open, limits, () => {
    counts.idle++
  })

  return {
    client,
    counts,
    streams,
    ask: (...requests) => Promise.all(requests.map((request) => client.ask(request))),
    peer: () => talkers.next()
  }
}
