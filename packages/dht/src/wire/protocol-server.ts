import type { PeerId, Stream } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import type { MaybePromise } from '@waggle/record'
import { DEFAULT_NETWORK, isPromise, whenDone } from '@waggle/record/replica'
import { BufferLimits } from '../admission/buffer-limits.ts'
import { OpenRequests } from '../admission/open-requests.ts'
import { Scheduler } from '../admission/scheduler.ts'
import { toError } from '../errors.ts'
import { DEFAULT_NODE_LIMITS, type NodeLimits } from '../node-limits.ts'
import type { Access } from '../peers/access.ts'
import { type Activity, allActivity } from './activity.ts'
import { FramedStream } from './framed-stream.ts'
import { MAX_MESSAGE_BYTES, MAX_STREAMS_PER_PEER } from './limits.ts'
import { protocolIdIn } from './protocol-id.ts'
import { Responder, type ResponderParts, type Response } from './responder.ts'
import type { MessageCodec } from './schema.ts'
import type { Served } from './served.ts'

/** A protocol that a node serves. */
export interface ServedProtocol<M> {
  /** The protocol's id in the default network. */
  readonly id: string
  readonly codec: MessageCodec<M>

  /** Bytes of the largest request, if below the node's limit. */
  readonly maxMessageBytes?: number

  /** Whether replies may pass others. Requests then have ids. */
  readonly mayPass?: boolean

  /** Whether any peer may send requests, regardless of `allowPeer`. */
  readonly isPublic?: boolean

  /** Serves an inbound stream. */
  serve(stream: FramedStream<M>, peer: PeerId): StreamHandler<M>
}

/** Handles one stream. */
export interface StreamHandler<M> {
  /**
   * Returns the response to a request; undefined for a message without a reply.
   *
   * @throws ProtocolViolationError for a message that is not allowed
   */
  respond(message: M): MaybePromise<Response<M>> | undefined

  /** Called when the stream was blocked and more can be sent now. */
  onDrain?(): void

  /** Whether the stream is idle until the peer's next request. Without this method, it is. */
  isIdle?(): boolean
  onClose?(): void
}

export interface ProtocolServerInit {
  /** @default DEFAULT_NODE_LIMITS */
  readonly limits?: NodeLimits

  /**
   * The name of this node's network.
   *
   * @default DEFAULT_NETWORK
   */
  readonly network?: string

  /**
   * The buffers of all streams of this node.
   *
   * @default an instance of its own
   */
  readonly buffers?: BufferLimits

  /**
   * The turns and rates of peers.
   *
   * @default an instance of its own
   */
  readonly scheduler?: Scheduler

  /** Decides which peers may send requests; undefined: all peers. */
  readonly access?: Access | undefined

  /** Counts the node's work for peers; undefined: no counts. */
  readonly served?: Served | undefined

  /** Called when a peer has violated a protocol. */
  readonly onViolation?: (peer: PeerId, error: Error) => void
}

/** Serves protocols. Access, numbers of streams, buffers, rates and turns are the same for all. */
export class ProtocolServer {
  readonly #init: ProtocolServerInit
  readonly #limits: NodeLimits
  readonly #buffers: BufferLimits
  readonly #responding: ResponderParts
  readonly #ids = new Set<string>()

  /** The open streams of each peer by protocol, the oldest first. */
  readonly #streams = new Map<string, Map<string, ServedStream[]>>()

  constructor(init: ProtocolServerInit = {}) {
    const { limits = DEFAULT_NODE_LIMITS, buffers = new BufferLimits(limits) } = init
    this.#init = init
    this.#limits = limits
    this.#buffers = buffers
    this.#responding = {
      scheduler: init.scheduler ?? new Scheduler(limits),
      requests: new OpenRequests(limits),
      served: init.served
    }
  }

  /** Registers a protocol with libp2p. */
  async handle<M>(registrar: Registrar, protocol: ServedProtocol<M>): Promise<void> {
    const id = protocolIdIn(this.#init.network ?? DEFAULT_NETWORK, protocol.id)
    this.#ids.add(id)
    await registrar.handle(
      id,
      (stream, { remotePeer }) => this.accept(protocol, stream, remotePeer),
      { maxInboundStreams: MAX_STREAMS_PER_PEER, maxOutboundStreams: MAX_STREAMS_PER_PEER }
    )
  }

  /** Unregisters all protocols, and ends their open streams. */
  async unhandle(registrar: Registrar): Promise<void> {
    await Promise.all([...this.#ids].map((id) => registrar.unhandle(id)))

    for (const ofPeer of [...this.#streams.values()]) {
      for (const stream of [...ofPeer.values()].flat()) {
        stream.close(new Error('this node has stopped serving requests'))
      }
    }
  }

  /** Serves a stream if the peer has access. */
  async accept<M>(protocol: ServedProtocol<M>, stream: Stream, peer: PeerId): Promise<void> {
    const isAllowed = protocol.isPublic || (this.#init.access?.allows(peer, 'connect') ?? true)

    if (isAllowed === true || (await isAllowed)) {
      this.serve(protocol, stream, peer)
    } else {
      this.#init.served?.countRefusal('access')
      stream.abort(new Error('this peer may not send requests here'))
    }
  }

  /** Serves a stream. */
  serve<M>(protocol: ServedProtocol<M>, stream: Stream, peer: PeerId): void {
    const { maxBufferedBytesPerPeer, maxRequestsPerPeer } = this.#limits
    const { served: counter } = this.#init
    const buffers = this.#buffers
    const framed = new FramedStream<M>({
      ...{ stream, codec: protocol.codec, isServer: true, mayPass: protocol.mayPass === true },
      maxMessageBytes: protocol.maxMessageBytes ?? MAX_MESSAGE_BYTES,
      maxUnreadBytes: maxBufferedBytesPerPeer,
      maxRepliesInFlight: Math.ceil(maxRequestsPerPeer / MAX_STREAMS_PER_PEER),
      onMessage: (message) =>
        this.#respond(this.#counted(name, message, handler.respond(message)), framed, responder),
      onDrain: () => handler.onDrain?.(),
      onSent: (bytes) => counter?.countBytes(bytes),
      onViolation: (error) => this.#init.onViolation?.(peer, error),
      onBuffered: () => buffers.scheduleCheck(),
      onClose: () => {
        buffers.delete(framed)
        this.#remove(name, protocol.id, served)
        handler.onClose?.()
      }
    })
    const name = peer.toString()
    const handler = protocol.serve(framed, peer)
    const responder = new Responder<M>({ ...this.#responding, stream: framed, peer })
    const served: ServedStream = {
      close: (error) => framed.close(error),
      send: (message) => {
        framed.send(message as M)
        framed.flush()
      },
      get activity() {
        const isBusy = framed.isWorking || handler.isIdle?.() === false
        return { isBusy, usedAtMs: framed.progressMs }
      }
    }
    buffers.add(framed, name)
    this.#add(name, protocol.id, served)
  }

  /** Returns the activity for a peer by all protocols. */
  activityOf(peer: PeerId): Activity {
    const served = [...(this.#streams.get(peer.toString())?.values() ?? [])].flat()
    return allActivity(served.map(({ activity }) => activity))
  }

  /** Sends an unrequested message, if the peer has an open stream of the protocol. Returns whether it has. */
  notify<M>({ id }: Pick<ServedProtocol<M>, 'id'>, peer: PeerId, message: M): boolean {
    const newest = this.#streams.get(peer.toString())?.get(id)?.at(-1)
    newest?.send(message)
    return newest !== undefined
  }

  #counted<M>(
    peer: string,
    message: M,
    response: MaybePromise<Response<M>> | undefined
  ): MaybePromise<Response<M>> | undefined {
    const { served } = this.#init

    if (served === undefined || response === undefined) {
      return response
    }

    return whenDone(response, (known) => {
      served.countKeys(peer, (message as { readonly name: string }).name, known.keys)
      return known
    })
  }

  #respond<M>(
    response: MaybePromise<Response<M>> | undefined,
    stream: FramedStream<M>,
    responder: Responder<M>
  ): void {
    if (response === undefined) {
      return
    }

    if (!isPromise(response)) {
      responder.respond(response)
      return
    }

    const resume = stream.pause()
    Promise.resolve(response)
      .then((known) => responder.respond(known))
      .finally(resume)
      .catch((error: unknown) => stream.close(toError(error)))
  }

  /**
   * Adds a stream. A peer that has reconnected may have left streams behind, which must not count against it, so
   * the oldest one ends.
   */
  #add(peer: string, protocol: string, served: ServedStream): void {
    const ofPeer = this.#streams.get(peer) ?? new Map<string, ServedStream[]>()
    const streams = [...(ofPeer.get(protocol) ?? []), served]
    this.#streams.set(peer, ofPeer.set(protocol, streams))

    for (const oldest of streams.slice(0, -MAX_STREAMS_PER_PEER)) {
      oldest.close(new Error(`the peer has opened more than ${MAX_STREAMS_PER_PEER} streams`))
    }
  }

  #remove(peer: string, protocol: string, served: ServedStream): void {
    const ofPeer = this.#streams.get(peer)
    const left = ofPeer?.get(protocol)?.filter((other) => other !== served) ?? []

    if (left.length > 0) {
      ofPeer?.set(protocol, left)
      return
    }

    ofPeer?.delete(protocol)

    if (ofPeer?.size === 0) {
      this.#streams.delete(peer)
    }
  }
}

/** An inbound stream of any protocol. */
interface ServedStream {
  readonly activity: Activity
  close(error: Error): void
  send(message: unknown): void
}
