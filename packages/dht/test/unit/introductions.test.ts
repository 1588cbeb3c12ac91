import type { PeerId } from '@libp2p/interface'
import { peerIdFromMultihash } from '@libp2p/peer-id'
import { decode as decodeMultihash } from 'multiformats/hashes/digest'
import { describe, expect, it } from 'vitest'
import type { IntroductionMessage } from '../../src/pages/introduction-messages.ts'
import { MAX_INTRODUCED } from '../../src/pages/introduction-messages.ts'
import { IntroductionServer, MAX_PAGES, pickFairly } from '../../src/pages/introduction-server.ts'
import type { FramedStream } from '../../src/wire/framed-stream.ts'
import type { Response } from '../../src/wire/responder.ts'
import { peerNumber } from '../support/numbered-peers.ts'

/** A page's end of a stream at a server. */
class PageAtServer {
  readonly #peer: PeerId
  readonly #handler
  isClosed = false

  constructor(server: IntroductionServer, peer: PeerId) {
    const stream = { close: () => this.close() } as unknown as FramedStream<IntroductionMessage>
    this.#peer = peer
    this.#handler = server.serve(stream, peer)
  }

  /** Asks for pages. Returns their ids. */
  ask(isReachable: boolean): string[] {
    const { reply } = this.#handler.respond({
      name: 'introduce',
      isReachable
    }) as Response<IntroductionMessage>
    const { value } = reply.next()
    const { peers } = value as Extract<IntroductionMessage, { name: 'introduced' }>
    expect(peers.length).toBeLessThanOrEqual(MAX_INTRODUCED)
    const ids = peers.map((id) => peerIdFromMultihash(decodeMultihash(id)).toString())
    expect(ids).not.toContain(this.#peer.toString())
    return ids
  }

  close(): void {
    this.isClosed = true
    this.#handler.onClose?.()
  }

  refuse(message: IntroductionMessage): void {
    this.#handler.respond(message)
  }
}

describe('a server', () => {
  const ids = [1, 2, 3].map((n) => peerNumber(n).toString())

  it('introduces pages that are reachable, and forgets them when their streams end (N15)', () => {
    const server = new IntroductionServer({ hostOf: () => 'a host' })
    const [first, second, third] = [1, 2, 3].map((n) => new PageAtServer(server, peerNumber(n)))
    expect(first?.ask(true)).toEqual([])
    expect(second?.ask(false)).toEqual([ids[0]])
    expect(third?.ask(true)).toEqual([ids[0]])
    expect(second?.ask(true).toSorted()).toEqual([ids[0], ids[2]].toSorted())
    third?.ask(false)
    expect(first?.ask(true)).toEqual([ids[1]])
    second?.close()
    expect(first?.ask(true)).toEqual([])
  })

  it('keeps the newer of two streams of a page', () => {
    const server = new IntroductionServer({ hostOf: () => 'a host' })
    const [old, young, other] = [1, 1, 2].map((n) => new PageAtServer(server, peerNumber(n)))
    old?.ask(true)
    young?.ask(true)
    old?.close()
    expect(other?.ask(true)).toEqual([ids[0]])
  })

  it('has hosts share its places: a flood from one costs its own pages theirs', () => {
    const server = new IntroductionServer({
      hostOf: (peer) => (peer.equals(peerNumber(1)) ? 'alone' : 'many')
    })
    const alone = new PageAtServer(server, peerNumber(1))
    alone.ask(true)
    const many = Array.from(
      { length: MAX_PAGES },
      (_, i) => new PageAtServer(server, peerNumber(2 + i))
    )
    many.map((page) => page.ask(true))
    expect(alone.isClosed).toBe(false)
    expect(many.filter(({ isClosed }) => isClosed)).toEqual([many[0]])
    expect(many.at(-1)?.ask(true)).toContain(ids[0])
  })

  it('ends the stream of a page that answers instead of asking', () => {
    const server = new IntroductionServer({ hostOf: () => 'a host' })
    const page = new PageAtServer(server, peerNumber(1))
    expect(() => page.refuse({ name: 'introduced', peers: [] })).toThrow('is not a request')
  })
})

describe('pickFairly', () => {
  it('gives each host the same part, as far as it has so many (N15)', () => {
    const hosts = ['a', 'b', ...Array.from({ length: 50 }, () => 'c')]
    const pages = hosts.map((host) => ({ host }))
    const picked = pickFairly(pages, 10).map(({ host }) => host)
    expect(picked.filter((host) => host === 'a')).toHaveLength(1)
    expect(picked.filter((host) => host === 'b')).toHaveLength(1)
    expect(picked.filter((host) => host === 'c')).toHaveLength(8)
  })
})
