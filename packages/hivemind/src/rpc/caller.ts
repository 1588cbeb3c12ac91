import type { Connection, PeerId } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { TimeoutError } from '@waggle/dht'
import { equals } from 'uint8arrays/equals'
import { MalformedBytesError, RemoteError } from '../errors.ts'
import { CallIds } from './call-ids.ts'
import { CoarseTimeouts } from './coarse-timeouts.ts'
import { LAZY } from './lazy-negotiation.ts'
import { MAX_STREAMS } from './procedures.ts'
import { callOver } from './stream-call.ts'

export interface CallerInit {
  readonly connectionManager: ConnectionManager
  readonly requestTimeoutMs: number
}

/** Options of `newStream` for all calls. Relayed connections are allowed. */
const STREAM_OPTIONS = {
  maxOutboundStreams: MAX_STREAMS,
  runOnLimitedConnection: true,
  [LAZY]: true
} as const

/** Makes calls to peers, at the addresses that libp2p knows or finds. */
export class Caller {
  readonly #init: CallerInit
  readonly #callIds = new CallIds()
  readonly #timeouts: CoarseTimeouts

  constructor(init: CallerInit) {
    this.#init = init
    this.#timeouts = new CoarseTimeouts(init.requestTimeoutMs)
  }

  /**
   * Calls a procedure and returns the bytes of its response.
   *
   * @throws RemoteError when the peer reports a failure
   * @throws TimeoutError when the peer has not responded in time
   */
  async call(peer: PeerId, procedure: string, data: Uint8Array): Promise<Uint8Array> {
    const { requestTimeoutMs } = this.#init
    const signal = this.#timeouts.next()

    try {
      return await this.#call(peer, { procedure, data, signal })
    } catch (error) {
      throw signal.aborted
        ? new TimeoutError(`no answer within ${requestTimeoutMs} ms`, { cause: error })
        : error
    }
  }

  /** Whether a peer is connected, so that a call needs no dial. */
  isConnected(peer: PeerId): boolean {
    return this.#init.connectionManager.getConnections(peer).length > 0
  }

  async #call(
    peer: PeerId,
    { procedure, data, signal }: { procedure: string; data: Uint8Array; signal: AbortSignal }
  ): Promise<Uint8Array> {
    const connection = await this.#connectionTo(peer, signal)
    const stream = await connection.newStream(procedure, { ...STREAM_OPTIONS, signal })
    const callId = this.#callIds.next()
    const call = { callId, peer: peer.toMultihash().bytes, procedure, data }
    const reply = await callOver(stream, call, signal)

    if (!equals(reply.callId, callId)) {
      throw new MalformedBytesError('the reply is to another call')
    }

    if (reply.error !== undefined) {
      throw new RemoteError(`${procedure}: ${reply.error}`)
    }

    return reply.data
  }

  async #connectionTo(peer: PeerId, signal: AbortSignal): Promise<Connection> {
    const { connectionManager } = this.#init
    const connections = connectionManager.getConnections(peer)
    const direct = connections.find(({ limits, status }) => limits == null && status === 'open')
    return direct ?? connections[0] ?? connectionManager.openConnection(peer, { signal })
  }
}
