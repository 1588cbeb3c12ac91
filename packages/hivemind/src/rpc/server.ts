import type { PeerId, Stream } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import { toError } from '../errors.ts'
import { type Door, OpenRequests } from '../waggle-parts.ts'
import { assertReplyFits, type Call, replyFrame } from '../wire/envelope.ts'
import { InboundCall } from './inbound-call.ts'
import { MAX_STREAMS, PROCEDURES } from './procedures.ts'

/** Limits of the server's resources, under the names that `@waggle/dht` uses. */
export interface ServerLimits {
  readonly maxRequestsPerPeer: number
  readonly maxRequests: number
}

/** A received call. */
export interface ReceivedCall {
  readonly peer: PeerId
  readonly procedure: string
  readonly data: Uint8Array

  /** Whether the caller still waits. */
  readonly isWanted: () => boolean
}

export interface ServerInit {
  readonly registrar: Registrar
  readonly limits: ServerLimits

  /** The node's door: its scheduler, rates, buffers and violations (N13). */
  readonly door: Door

  /** Handles a call. Its error is sent to the caller. Undefined: the caller no longer waits. */
  readonly answer: (call: ReceivedCall) => Promise<Uint8Array | undefined>

  /** Whether the peer may make calls at all. */
  readonly isAllowed: (peer: PeerId) => boolean | Promise<boolean>
}

/** Serves Hivemind's procedures, one call on each stream. */
export class HivemindServer {
  readonly #init: ServerInit
  readonly #requests: OpenRequests

  constructor(init: ServerInit) {
    this.#init = init
    this.#requests = new OpenRequests(init.limits)
  }

  /** Calls being answered. */
  get inFlight(): number {
    return this.#requests.count
  }

  async start(): Promise<void> {
    for (const procedure of PROCEDURES) {
      await this.#init.registrar.handle(
        procedure,
        (stream, { remotePeer }) => this.#serve(stream, remotePeer),
        {
          maxInboundStreams: MAX_STREAMS,
          maxOutboundStreams: MAX_STREAMS,
          runOnLimitedConnection: true
        }
      )
    }
  }

  async stop(): Promise<void> {
    for (const procedure of PROCEDURES) {
      await this.#init.registrar.unhandle(procedure)
    }
  }

  async #serve(stream: Stream, peer: PeerId): Promise<void> {
    const isAllowed = this.#init.isAllowed(peer)

    if (isAllowed === true || (await isAllowed)) {
      this.#receive(stream, peer)
    } else {
      stream.abort(new Error('this peer may not send requests here'))
    }
  }

  #receive(stream: Stream, peer: PeerId): void {
    const { door } = this.#init
    const { buffers } = door
    const name = peer.toString()

    if (this.#requests.isFull(name)) {
      stream.abort(new Error('too many calls are in progress'))
      return
    }

    const inbound: InboundCall = new InboundCall({
      stream,
      onCall: (call) => door.admit(name, () => this.#begin(inbound, peer, call)),
      onViolation: (error) => door.forgive(peer, error),
      onBuffered: () => buffers.scheduleCheck(),
      onEnd: () => {
        buffers.delete(inbound)
        this.#requests.end(name)
      }
    })
    this.#requests.begin(name)
    buffers.add(inbound, name)
  }

  #begin(inbound: InboundCall, peer: PeerId, call: Call): void {
    this.#answer(inbound, peer, call).catch((error) => inbound.close(toError(error)))
  }

  async #answer(inbound: InboundCall, peer: PeerId, call: Call): Promise<void> {
    const { callId, procedure, data } = call
    const isWanted = (): boolean => inbound.isOpen

    try {
      const answer = await this.#init.answer({ peer, procedure, data, isWanted })

      if (answer !== undefined) {
        assertReplyFits(answer.length)
        inbound.reply(replyFrame({ callId, data: answer }))
      }
    } catch (thrown) {
      const { name, message } = toError(thrown)
      inbound.reply(replyFrame({ callId, error: `${name}(${JSON.stringify(message)})` }))
    }
  }
}
