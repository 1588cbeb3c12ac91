import type { PeerId } from '@libp2p/interface'
import { peerIdIn } from '../peers/peer-id-bytes.ts'
import { type ClientParts, ProtocolClient } from '../wire/protocol-client.ts'
import { ProtocolViolationError } from '../wire/protocol-violation-error.ts'
import type { RequestProtocol } from '../wire/request-protocol.ts'
import {
  INTRODUCTION,
  INTRODUCTION_PROTOCOL,
  type IntroductionMessage,
  MAX_INTRODUCTION_BYTES
} from './introduction-messages.ts'

interface IntroductionRequest {
  readonly isReachable: boolean
}

/** The introduction protocol. Its stream stays open, because that is what keeps a page reachable. */
export const INTRODUCTION_REQUESTS: RequestProtocol<
  IntroductionRequest,
  readonly Uint8Array[],
  IntroductionMessage
> = {
  codec: INTRODUCTION,
  sizeOf: () => 2,
  isAlike: (a, b) => a.isReachable === b.isReachable,
  messageOf: ([first]) => ({
    name: 'introduce',
    isReachable: first?.request.isReachable === true
  }),
  responsesOf(message, { requests }) {
    if (message.name !== 'introduced') {
      throw new ProtocolViolationError('the peer asks for pages instead of naming some')
    }

    return requests.map(() => message.peers)
  }
}

/** Asks relays for the pages that they can introduce. */
export class IntroductionClient {
  readonly #client: ProtocolClient<IntroductionRequest, readonly Uint8Array[], IntroductionMessage>

  constructor(init: ClientParts) {
    this.#client = new ProtocolClient({
      ...init,
      id: INTRODUCTION_PROTOCOL,
      streamLimits: { maxMessageBytes: MAX_INTRODUCTION_BYTES },
      speak: () => INTRODUCTION_REQUESTS
    })
  }

  /**
   * Returns other pages that a connected server knows; none if it lacks the protocol.
   *
   * @param isReachable - whether other pages reach this one through the server
   */
  ask(server: PeerId, isReachable: boolean): Promise<PeerId[]> {
    return this.#client.request<PeerId[]>(
      { id: server, multiaddrs: [] },
      { isReachable },
      { onResponse: (peers) => peers.flatMap(peerOf), fallback: () => [] }
    )
  }

  /** Ends all streams. */
  close(): void {
    this.#client.close()
  }
}

/** Decodes an id; none if this version can't read it. */
function peerOf(id: Uint8Array): PeerId[] {
  try {
    return [peerIdIn(id)]
  } catch {
    return []
  }
}
