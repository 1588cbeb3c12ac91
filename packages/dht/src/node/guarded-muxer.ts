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
import { FrameGate } from './frame-gate.ts'
import { limitStreamNegotiation } from './negotiation-limit.ts'
import { securedPeers } from './secured-peers.ts'

type Listener = (event: StreamMessageEvent) => void

/**
 * The same muxer behind a {@link FrameGate}: what one connection sends it takes turns with all else, and
 * what it holds of unfinished frames counts as the peer's.
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
        limited(inner.createStreamMuxer(gated(connection, door, maxFrameBytes)), {
          door,
          peer: nameOf(connection)
        }),
      ...{ [serviceCapabilities]: capabilities }
    }
  }
}

/** The muxer as libp2p hears it: the streams that a peer opens are limited, and what it offers on each. */
function limited(
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

/** The connection as the muxer hears it. */
function gated(connection: MessageStream, door: Door, maxFrameBytes: number): MessageStream {
  const addEventListener = connection.addEventListener.bind(connection)
  return overriding<MessageStream>(connection, {
    addEventListener: (type: string, listener: unknown, options?: unknown) => {
      if (type === 'message') {
        listenThroughGate(connection, listener as Listener, { door, maxFrameBytes })
      } else {
        Reflect.apply(addEventListener, connection, [type, listener, options])
      }
    }
  })
}

function listenThroughGate(
  connection: MessageStream,
  listener: Listener,
  { door, maxFrameBytes }: { door: Door; maxFrameBytes: number }
): void {
  const peer = securedPeers.get(connection)
  const name = nameOf(connection)
  const { buffers } = door
  const fail = (error: Error): void => {
    connection.abort(error)
    peer && door.reportFault(peer, error)
  }
  const gate = new FrameGate({
    maxFrameBytes,
    deliver: (bytes) => connection.status === 'open' && listener(new StreamMessageEvent(bytes)),
    // One a turn of the event loop, however short: what a frame causes goes on in later ones.
    turn: (task) => atEndOfTurn(() => door.turns.add(name, caught(task, fail))),
    pause: () => connection.status === 'open' && connection.pause(),
    resume: () => connection.status === 'open' && connection.resume(),
    onBacklog: () => buffers.scheduleLook()
  })
  const buffering = {
    get bufferedBytes() {
      return gate.bufferedBytes
    },
    get stuckSinceMs() {
      return gate.stuckSinceMs
    },
    close: fail
  }
  buffers.add(buffering, name)
  connection.addEventListener('close', () => buffers.delete(buffering))
  connection.addEventListener('message', ({ data }) =>
    caught(() => gate.push(data.subarray()), fail)()
  )
}

/** The peer at the other end, as far as an encrypter has told. */
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
