import {
  type MessageStream,
  type Stream,
  StreamMessageEvent,
  type StreamMuxer,
  type StreamMuxerFactory,
  serviceCapabilities
} from '@libp2p/interface'
import { type Door, doorOf } from '../door/door.ts'
import { overriding } from '../door/overriding.ts'
import { toError } from '../errors.ts'
import { atEndOfTurn } from '../timing/end-of-turn.ts'
import { Flow } from './flow.ts'
import { FrameGate } from './frame-gate.ts'
import { limitStreamNegotiation } from './negotiation-limit.ts'
import { areFramesHeld } from './received-frames.ts'
import { securedPeers } from './secured-peers.ts'

type Listener = (event: StreamMessageEvent) => void

/**
 * Wraps a muxer with a {@link FrameGate}: a connection's frames take turns with all other work, and the bytes of
 * incomplete frames count for the peer.
 *
 * `streamMuxers: [guardedMuxer(yamux(…), …)]`
 */
export function guardedMuxer<C extends { readonly events: object }>(
  muxer: (components: C) => StreamMuxerFactory,
  { maxFrameBytes }: { readonly maxFrameBytes: number }
): (components: C) => StreamMuxerFactory {
  return (components) => {
    const inner = muxer(components)
    const door = doorOf(components)
    const capabilities: unknown = Reflect.get(inner, serviceCapabilities)

    return {
      protocol: inner.protocol,
      createStreamMuxer: (connection: MessageStream): StreamMuxer =>
        limitedStreams(inner.createStreamMuxer(gated(connection, door, maxFrameBytes)), {
          door,
          peer: nameOf(connection)
        }),
      ...{ [serviceCapabilities]: capabilities }
    }
  }
}

/** Limits the inbound streams of a muxer, and the protocols offered on each. */
export function limitedStreams(
  muxer: StreamMuxer,
  { door, peer }: { readonly door: Door; readonly peer: string }
): StreamMuxer {
  const addEventListener = muxer.addEventListener.bind(muxer)
  return overriding<StreamMuxer>(muxer, {
    addEventListener: (type: string, listener: unknown, options?: unknown) => {
      const heard =
        type === 'stream'
          ? (event: CustomEvent<Stream>): void => {
              limitStreamNegotiation(event.detail)
              door.streams.add(event.detail, peer)
              Reflect.apply(listener as (event: CustomEvent<Stream>) => void, undefined, [event])
            }
          : listener
      Reflect.apply(addEventListener, muxer, [type, heard, options])
    }
  })
}

/** Wraps the connection below the muxer. */
function gated(connection: MessageStream, door: Door, maxFrameBytes: number): MessageStream {
  const addEventListener = connection.addEventListener.bind(connection)
  const isBlocked = (): boolean => areFramesHeld(wrapped)
  const wrapped = overriding<MessageStream>(connection, {
    addEventListener: (type: string, listener: unknown, options?: unknown) => {
      if (type === 'message') {
        listenThroughGate(connection, listener as Listener, { door, maxFrameBytes, isBlocked })
      } else {
        Reflect.apply(addEventListener, connection, [type, listener, options])
      }
    }
  })
  return wrapped
}

interface GateOptions {
  readonly door: Door
  readonly maxFrameBytes: number
  readonly isBlocked: () => boolean
}

function listenThroughGate(
  connection: MessageStream,
  listener: Listener,
  { door, maxFrameBytes, isBlocked }: GateOptions
): void {
  const peer = securedPeers.get(connection)
  const name = nameOf(connection)
  const { buffers } = door
  const flow = new Flow(connection)
  const fail = (error: Error): void => {
    connection.abort(error)
    peer && door.reportFault(peer, error)
  }
  const gate = new FrameGate({
    ...{ maxFrameBytes, isBlocked },
    deliver: (bytes) => connection.status === 'open' && listener(new StreamMessageEvent(bytes)),
    // One step in each turn of the event loop, however short, because the effects of a frame continue in later
    // ones.
    turn: (task) => atEndOfTurn(() => door.turns.add(name, caught(task, fail))),
    pause: () => flow.pause(),
    resume: () => flow.resume(),
    onBacklog: () => buffers.scheduleCheck(),
    onClose: fail
  })
  buffers.add(gate, name)
  connection.addEventListener('close', () => buffers.delete(gate))
  connection.addEventListener('message', ({ data }) => {
    caught(() => gate.push(data.subarray()), fail)()
    buffers.countArrived(data.byteLength)
  })
}

/** Names the peer at the other end, if the encrypter has identified it. */
function nameOf(connection: MessageStream): string {
  return securedPeers.get(connection)?.toString() ?? ''
}

function caught(task: () => void, onError: (error: Error) => void): () => void {
  return () => {
    try {
      task()
    } catch (error) {
      onError(toError(error))
    }
  }
}
