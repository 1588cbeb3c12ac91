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

/** A protocol as a node serves it. */
export interface ServedProtocol<M> {
  /** The protocol's id in the default network. */
  readonly id: string
  readonly codec: MessageCodec<M>

  /** Bytes of the largest request, if that is less than the node's limit. */
  readonly maxMessageBytes?: number

  /** Whether replies may pass others. Requests are told apart by ids then. */
  readonly mayPass?: boolean

  /** Whether anybody may ask, whatever `allowPeer` says. */
  readonly isPublic?: boolean

  /** Serves a stream that a peer has opened. */
  serve(stream: FramedStream<M>, peer: PeerId): StreamHandler<M>
}

/** How one stream is served. */
export interface StreamHandler<M> {
  /**
   * Says how a request is answered; undefined for a message that nobody replies to.
   *
   * @throws ProtocolViolationError for a message that may not come
   */
  respond(message: M): MaybePromise<Response<M>> | undefined

  /** Called when the stream was blocked and more can be sent now. */
  onDrain?(): void

  /** Whether the stream is of no use until the peer asks again. It is without this. */
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
   * @default its own
   */
  readonly buffers?: BufferLimits

  /**
   * The turns and rates of peers.
   *
   * @default its own
   */
  readonly scheduler?: Scheduler

  /** Decides who may ask; undefined: everybody may. */
  readonly access?: Access | undefined

  /** Counts what is done for peers; undefined: nobody does. */
  readonly served?: Served | undefined

  /** A peer has broken a protocol. */
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

  /** Has libp2p hand over the streams of a protocol from now on. */
  async handle<M>(registrar: Registrar, protocol: ServedProtocol<M>): Promise<void> {
    const id = protocolIdIn(this.#init.network ?? DEFAULT_NETWORK, protocol.id)
    this.#ids.add(id)
    await registrar.handle(
      id,
      (stream, { remotePeer }) => this.accept(protocol, stream, remotePeer),
      { maxInboundStreams: MAX_STREAMS_PER_PEER, maxOutboundStreams: MAX_STREAMS_PER_PEER }
    )
  }

  /** Has libp2p hand over no streams any more, and ends those that are open. */
  async unhandle(registrar: Registrar): Promise<void> {
    await Promise.all([...this.#ids].map((id) => registrar.unhandle(id)))

    for (const ofPeer of [...this.#streams.values()]) {
      for (const stream of [...ofPeer.values()].flat()) {
        stream.close(new Error('this node serves no requests any more'))
      }
    }
  }

  /** Serves a stream if the peer may ask. */
  async accept<M>(protocol: ServedProtocol<M>, stream: Stream, peer: PeerId): Promise<void> {
    const isAllowed = protocol.isPublic || (this.#init.access?.allows(peer, 'connect') ?? true)

    if (isAllowed === true || (await isAllowed)) {
      this.serve(protocol, stream, peer)
    } else {
      this.#init.served?.countRefusal('access')
      stream.abort(new Error('this peer may not ask here'))
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
      onBuffered: () => buffers.scheduleLook(),
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

  /** Sends a message that nobody asked for, if the peer has a stream of the protocol open. Says whether it has. */
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

  /** A peer that has reconnected may have left streams behind, which must not count against it: the oldest end. */
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

/** A stream that a peer has opened, whatever is spoken on it. */
interface ServedStream {
  readonly activity: Activity
  close(error: Error): void
  send(message: unknown): void
}
