import { type PeerId, UnsupportedProtocolError } from '@libp2p/interface'
import { encodeRecord, plainRecord, recordKey } from '@waggle/record'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { DEFAULT_REQUEST_TIMEOUT_MS } from '../../src/constants.ts'
import { ExchangeClient } from '../../src/exchange/exchange-client.ts'
import {
  EXCHANGE_PROTOCOL,
  type FoundReply,
  type StoredReply
} from '../../src/exchange/messages.ts'
import type { FindReply, RecordChannel } from '../../src/lookup/record-channel.ts'
import { NearPeers } from '../../src/peers/near-peers.ts'
import { RecordStore } from '../../src/store/record-store.ts'
import { FALLBACK_MEMORY_MS } from '../../src/wire/limits.ts'
import { encodePeer } from '../../src/wire/peer-codec.ts'
import { ACTIVE } from '../support/cancellation.ts'
import { encodedPeer } from '../support/encoded-peers.ts'
import { stored } from '../support/exchange-asking.ts'
import { Mailbox } from '../support/exchange-mailbox.ts'
import { contact, encodedWrite, NOW, recordOf } from '../support/exchange-serving.ts'
import { type StreamSource, streamSource } from '../support/exchange-streams.ts'
import { Talker } from '../support/exchange-talker.ts'
import { held, nothing } from '../support/find-answers.ts'
import { manualClock } from '../support/manual-clock.ts'
import { clientParts, type OpenStream } from '../support/protocol-asker.ts'
import { silentLog } from '../support/silent-log.ts'

let source: StreamSource

beforeAll(async () => {
  source = await streamSource()
})

afterAll(() => source?.[Symbol.asyncDispose]())
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const KEY = recordKey('key')
const FIND = { closerCount: 5, isCloserAlways: false }
const peer = contact(1)

interface Channelled {
  readonly channel: ExchangeClient
  readonly talkers: Mailbox<Talker>

  /** Requests by kad-dht's messages. */
  readonly stock: { find: number; store: number }
}

type OnOpen = (id: PeerId, protocol: string) => unknown

/** Makes a channel to peers that the test controls. An error of `onOpen` prevents a stream. */
function channelled(onOpen: OnOpen = () => {}): Channelled {
  const talkers = new Mailbox<Talker>()
  const stock = { find: 0, store: 0 }
  const stockChannel: RecordChannel = {
    find: async () => {
      stock.find++
      return { closer: [] }
    },
    store: async () => {
      stock.store++
      return { outcome: 'accepted', closer: [] }
    }
  }
  const open: OpenStream = async ({ id }, protocol) => {
    await onOpen(id, protocol)
    const [mine, theirs] = await source.open()
    talkers.push(new Talker(theirs))
    return mine
  }
  const channel = new ExchangeClient({
    ...clientParts(open),
    log: silentLog,
    store: new RecordStore({ clock: manualClock(NOW) }),
    requestTimeoutMs: DEFAULT_REQUEST_TIMEOUT_MS,
    kadChannel: stockChannel
  })

  return { channel, talkers, stock }
}

function refuse(): never {
  throw new UnsupportedProtocolError('this peer has never heard of it')
}

/** Answers the next FIND, of one key. */
async function answered(
  reply: Omit<FoundReply, 'name' | 'id'>,
  asked: Promise<FindReply>,
  talker: Talker
): Promise<FindReply> {
  const { id } = await talker.hear('find')
  talker.say({ name: 'found', id, ...reply })
  return asked
}

describe('ExchangeClient', () => {
  it('finds and stores by the exchange, on one stream (N3)', async () => {
    const protocols: string[] = []
    const { channel, talkers, stock } = channelled((_, protocol) => protocols.push(protocol))
    const near = contact(2)
    const finding = channel.find(peer, KEY, FIND)
    const talker = await talkers.next()
    const found = await answered(
      {
        peers: [encodePeer(near)],
        answers: [held(encodeRecord(recordOf('value')), [0])]
      },
      finding,
      talker
    )

    expect(found.record).toEqual(recordOf('value'))
    expect(found.closer.map(({ id }) => id.toString())).toEqual([near.id.toString()])

    const storing = channel.store(peer, KEY, recordOf('value'), { closerCount: 3 })
    const { id, writes, closerCount } = await talker.hear('store')
    const winner = recordOf('what wins')
    const answer = { outcome: 'stale', winner: encodeRecord(winner), closer: [] } as const
    talker.say({ name: 'stored', id, peers: [], answers: [answer] })

    expect(await storing).toEqual({ outcome: 'stale', winner, closer: [], areCloserKnown: false })
    expect(closerCount).toBe(3)
    expect(writes).toEqual([encodedWrite(KEY, encodeRecord(recordOf('value')))])
    expect(protocols).toEqual([EXCHANGE_PROTOCOL])
    expect(stock).toEqual({ find: 0, store: 0 })
  })

  it('takes the peers that it knows for named where the peer says so (N4)', async () => {
    const { channel, talkers } = channelled()
    const known = [contact(4), peer, contact(5)]
    const near = new NearPeers({ nearest: (_, count) => known.slice(0, count) }, KEY, 2)
    const storing = channel.store(peer, KEY, recordOf('value'), { closerCount: 2, near })
    const talker = await talkers.next()
    const { id, writes } = await talker.hear('store')
    const answers = [{ outcome: 'accepted', closer: 'known' }] as const
    talker.say({ name: 'stored', id, peers: [], answers })

    expect(writes[0]?.known).toBe(near.digestBesides(peer.id))
    expect(await storing).toEqual({
      outcome: 'accepted',
      closer: [contact(4), contact(5)],
      areCloserKnown: true
    })
  })

  it('asks for what beats a write, where the peer leaves that out and it matters (N6)', async () => {
    const { channel, talkers } = channelled()
    const stale = (id: number): StoredReply => stored(id, ['stale'])
    const storing = channel.store(peer, KEY, recordOf('value'), {
      closerCount: 3,
      isWinnerWanted: true
    })
    const talker = await talkers.next()
    talker.say(stale((await talker.hear('store')).id))
    const { id, closerCount } = await talker.hear('find')
    const answers = [held(encodeRecord(recordOf('what wins')))]
    talker.say({ name: 'found', id, peers: [], answers })

    expect(await storing).toMatchObject({ outcome: 'stale', winner: recordOf('what wins') })
    expect(closerCount).toBe(0)

    const repairing = channel.store(peer, KEY, recordOf('value'), { closerCount: 0 })
    talker.say(stale((await talker.hear('store')).id))
    expect(await repairing).toMatchObject({ outcome: 'stale', winner: undefined })
  })

  it('asks peers that do not speak it as stock peers, at once and for a while (N3)', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    let opened = 0
    const { channel, stock } = channelled(() => {
      opened++
      refuse()
    })

    expect(await channel.find(peer, KEY, FIND)).toEqual({ closer: [] })
    expect(await channel.store(peer, KEY, recordOf('value'), FIND)).toEqual({
      outcome: 'accepted',
      closer: []
    })
    vi.advanceTimersByTime(FALLBACK_MEMORY_MS)
    await channel.find(peer, KEY, FIND)
    expect(opened).toBe(1)

    vi.advanceTimersByTime(1)
    await channel.find(peer, KEY, FIND)
    expect(opened).toBe(2)
    expect(stock).toEqual({ find: 3, store: 1 })
  })

  it('speaks the exchange with other peers meanwhile (N3)', async () => {
    const { channel, talkers, stock } = channelled((id) => {
      if (id.equals(peer.id)) {
        refuse()
      }
    })
    const other = channel.find(contact(2), KEY, FIND)
    await channel.find(peer, KEY, FIND)
    await answered({ peers: [], answers: [nothing()] }, other, await talkers.next())

    expect(stock.find).toBe(1)
  })

  it('does not take a peer for a stock one for other faults (N3, N8d)', async () => {
    let isDown = true
    const { channel, talkers, stock } = channelled(() => {
      if (isDown) {
        throw new Error('no route')
      }
    })
    await expect(channel.find(peer, KEY, FIND)).rejects.toThrow('no route')
    await expect(channel.store(peer, KEY, recordOf('value'), FIND)).rejects.toThrow('no route')

    isDown = false
    const asked = channel.find(peer, KEY, FIND)
    await answered({ peers: [], answers: [nothing()] }, asked, await talkers.next())
    expect(stock).toEqual({ find: 0, store: 0 })
  })

  it('sends nothing that nobody waits for any more (N8a)', async () => {
    const { channel, talkers } = channelled()
    const cancellation = { isCancelled: false }
    const left = [
      channel.find(peer, KEY, { ...FIND, cancellation }),
      channel.store(peer, KEY, recordOf('value'), { closerCount: 3, cancellation })
    ]
    const kept = channel.find(peer, KEY, { ...FIND, cancellation: ACTIVE })
    cancellation.isCancelled = true

    for (const one of left) {
      await expect(one).rejects.toMatchObject({ name: 'AbortError' })
    }

    const talker = await talkers.next()
    await answered({ peers: [], answers: [nothing()] }, kept, talker)
    expect(talker.unheard).toBe(0)
  })

  it.each([
    ['is no record', Uint8Array.of(1, 2, 3)],
    ['has expired', encodeRecord(plainRecord(1, NOW - 1))],
    ['lives too long', encodeRecord(plainRecord(1, NOW + 31 * 86_400))]
  ])('ignores a record that %s, and takes the near peers beside it (N9a)', async (_, record) => {
    const { channel, talkers } = channelled()
    const near = contact(2)
    const asked = channel.find(peer, KEY, FIND)
    const { record: found, closer } = await answered(
      { peers: [encodePeer(near)], answers: [held(record, [0])] },
      asked,
      await talkers.next()
    )

    expect(found).toBeUndefined()
    expect(closer).toHaveLength(1)
  })

  it('ignores near peers that are none (N9h)', async () => {
    const { channel, talkers } = channelled()
    const nobody = encodedPeer({ id: Uint8Array.of(1, 2, 3), addresses: [Uint8Array.of(4)] })
    const asked = channel.find(peer, KEY, FIND)
    const { closer } = await answered(
      { peers: [nobody, encodePeer(contact(2))], answers: [nothing([0, 1, 0])] },
      asked,
      await talkers.next()
    )

    expect(closer.map(({ id }) => id.toString())).toEqual([contact(2).id.toString()])
  })

  it("takes 'invalid' for no answer: what we send is valid (N6, N9b)", async () => {
    const { channel, talkers } = channelled()
    const storing = channel.store(peer, KEY, recordOf('value'), { closerCount: 3 })
    const talker = await talkers.next()
    const { id } = await talker.hear('store')
    talker.say({ name: 'stored', id, peers: [], answers: [{ outcome: 'invalid', closer: [] }] })

    await expect(storing).rejects.toMatchObject({ name: 'ProtocolViolationError' })
  })

  it('ends all streams when it is closed', async () => {
    const { channel, talkers } = channelled()
    const asked = [contact(1), contact(2)].map((one) => channel.find(one, KEY, FIND))
    const both = [await talkers.next(), await talkers.next()]
    await Promise.all(both.map((talker) => talker.hear('find')))
    channel.close()

    for (const one of asked) {
      await expect(one).rejects.toMatchObject({ name: 'AbortError' })
    }

    for (const { ended } of both) {
      expect(await ended).toMatchObject({ name: 'StreamResetError' })
    }
  })
})
