import {
  type MessageStream,
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
        inner.createStreamMuxer(gated(connection, door, maxFrameBytes)),
      ...{ [serviceCapabilities]: capabilities }
    }
  }
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
  const name = peer?.toString() ?? ''
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

function caught(task: () => void, onError: (error: Error) => void): () => void {
  return () => {
    try {
      task()
    } catch (error) {
      onError(toError(error))
    }
  }
}
