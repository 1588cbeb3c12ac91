import type { PeerId } from '@libp2p/interface'
import { SharedPlaces } from '../admission/shared-places.ts'
import { Tally } from '../collections/tally.ts'
import type { FramedStream } from '../wire/framed-stream.ts'
import type { ServedProtocol, StreamHandler } from '../wire/protocol-server.ts'
import { ProtocolViolationError } from '../wire/protocol-violation-error.ts'
import {
  INTRODUCTION,
  INTRODUCTION_PROTOCOL,
  type IntroductionMessage,
  MAX_INTRODUCED,
  MAX_INTRODUCTION_BYTES
} from './introduction-messages.ts'

/** Pages that a relay can introduce: as many as it relays. */
export const MAX_PAGES = 256

export interface IntroductionServerInit {
  /** Returns the host of a connected peer. */
  readonly hostOf: (peer: PeerId) => string
}

/** A page that others reach through this relay. */
interface ReachablePage {
  readonly peer: PeerId
  readonly host: string
  abort(error: Error): void
  addEventListener(type: 'close', listener: () => void): void
  removeEventListener(type: 'close', listener: () => void): void
}

/**
 * Introduces pages to each other (N15). A page counts as reachable while the stream is open on which it said so.
 * Hosts share the places.
 */
export class IntroductionServer implements ServedProtocol<IntroductionMessage> {
  readonly id: string = INTRODUCTION_PROTOCOL
  readonly codec: typeof INTRODUCTION = INTRODUCTION
  readonly maxMessageBytes: number = MAX_INTRODUCTION_BYTES
  readonly #init: IntroductionServerInit
  readonly #pages = new Map<string, ReachablePage>()
  readonly #places = new SharedPlaces<ReachablePage>({
    maxSize: MAX_PAGES,
    reason: 'the relay introduces other pages'
  })

  constructor(init: IntroductionServerInit) {
    this.#init = init
  }

  serve(
    stream: FramedStream<IntroductionMessage>,
    peer: PeerId
  ): StreamHandler<IntroductionMessage> {
    let leave: (() => void) | undefined
    return {
      respond: ({ name, ...request }) => {
        if (name !== 'introduce' || !('isReachable' in request)) {
          throw new ProtocolViolationError(`"${name}" is not a request`)
        }

        const { isReachable } = request

        if (!isReachable) {
          leave?.()
          leave = undefined
        }

        leave ??= isReachable ? this.#enter(stream, peer) : undefined
        return { keys: 1, reply: this.#introduced(peer) }
      },
      onClose: () => leave?.()
    }
  }

  /** Takes a page in, and returns a function that forgets it. */
  #enter(stream: FramedStream<IntroductionMessage>, peer: PeerId): () => void {
    const page: ReachablePage = {
      ...{ peer, host: this.#init.hostOf(peer) },
      abort: (error) => stream.close(error),
      // The stream says when it has ended.
      addEventListener: () => {},
      removeEventListener: () => {}
    }
    const name = peer.toString()
    this.#places.add(page, page.host)
    this.#pages.set(name, page)
    return () => {
      this.#places.delete(page)

      if (this.#pages.get(name) === page) {
        this.#pages.delete(name)
      }
    }
  }

  *#introduced(asker: PeerId): Generator<undefined, IntroductionMessage> {
    const others = [...this.#pages.values()].filter(({ peer }) => !peer.equals(asker))
    const peers = pickFairly(others, MAX_INTRODUCED).map(({ peer }) => peer.toMultihash().bytes)
    return { name: 'introduced', peers }
  }
}

/** Picks pages at random, the same number of each host as far as there are enough. */
export function pickFairly<P extends { readonly host: string }>(
  pages: readonly P[],
  count: number
): P[] {
  const shuffled = pages
    .map((page) => ({ page, rank: Math.random() }))
    .sort((a, b) => a.rank - b.rank)
  const seen = new Tally<string>()
  return shuffled
    .map(({ page }) => {
      const round = seen.get(page.host)
      seen.add(page.host)
      return { page, round }
    })
    .sort((a, b) => a.round - b.round)
    .slice(0, count)
    .map(({ page }) => page)
}
