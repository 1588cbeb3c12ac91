import type {
  Connection,
  ConnectionEncrypter,
  MessageStream,
  Stream,
  StreamMuxerFactory
} from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { yamux } from '@libp2p/yamux'
import type { Libp2pOptions } from 'libp2p'
import { vi } from 'vitest'
import { coalescingMuxer } from '../../src/node/coalescing-muxer.ts'
import { unfragmentedWrites } from '../../src/node/unfragmented-writes.ts'
import { Mailbox } from './exchange-mailbox.ts'
import { basicServices, type DisposableNode, libp2pNode, PATIENCE } from './libp2p-node.ts'

/** The way to make a node's connections: with this library's layers, or plain. */
export type Making = 'ours' | 'plain'

type Bytes = Parameters<MessageStream['send']>[0]

/** Listens to the bytes that one end of a connection sends. */
export interface Tap {
  /** Called with each piece that the muxer has encrypted. */
  onFrames?(bytes: Uint8Array): void

  /** Called with each piece that the encrypter writes. */
  onWrite?(bytes: Bytes): void
}

export interface ConnectionPairInit {
  readonly near: Making
  readonly far: Making

  /** Listens to the near end. */
  readonly tap?: Tap
}

/** Two nodes with one connection, and streams over it. */
export interface ConnectionPair extends AsyncDisposable {
  readonly near: DisposableNode
  readonly far: DisposableNode

  /** The far end of the connection. */
  readonly there: Connection
  readonly back: Connection

  /** Opens a stream. Resolves with its near and its far end. */
  open(): Promise<[near: Stream, far: Stream]>
}

const PROTOCOL = '/test/1.0.0'
const MANY = { maxInboundStreams: 1024, maxOutboundStreams: 1024 }

export async function connectionPair({
  near: making,
  far: farMaking,
  tap = {}
}: ConnectionPairInit): Promise<ConnectionPair> {
  const near = await libp2pNode(basicServices(), made(making, tap))
  const far = await libp2pNode(basicServices(), made(farMaking))
  const arrived = new Mailbox<Stream>()
  await far.handle(PROTOCOL, (stream) => arrived.push(stream), MANY)
  await near.handle(PROTOCOL, (stream) => stream.abort(new Error('not wanted')), MANY)
  const there = await near.dial(far.getMultiaddrs())
  const back = await vi.waitUntil(() => far.getConnections(near.peerId)[0], PATIENCE)
  // Both identify each other on streams of their own.
  await vi.waitUntil(() => there.streams.length === 0 && back.streams.length === 0, PATIENCE)

  return {
    near,
    far,
    there,
    back,
    async open() {
      const stream = await there.newStream(PROTOCOL, MANY)
      return [stream, await arrived.next()]
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([near.stop(), far.stop()])
    }
  }
}

/** Returns the transport's connection, a private field of libp2p's own connections. */
export function transportOf(connection: Connection): MessageStream {
  return Reflect.get(connection, 'maConn')
}

function made(
  making: Making,
  { onFrames = () => {}, onWrite = () => {} }: Tap = {}
): Pick<Libp2pOptions, 'connectionEncrypters' | 'streamMuxers'> {
  const isOurs = making === 'ours'
  return {
    connectionEncrypters: [tapped(isOurs ? unfragmentedWrites(noise()) : noise(), onWrite)],
    streamMuxers: [tappedMuxer(isOurs ? coalescingMuxer(yamux()) : yamux(), onFrames)]
  }
}

function tapped<C>(
  encrypter: (components: C) => ConnectionEncrypter,
  onWrite: (bytes: Bytes) => void
): (components: C) => ConnectionEncrypter {
  return (components) => {
    const inner = encrypter(components)
    return {
      protocol: inner.protocol,
      secureInbound: (connection: MessageStream, options) =>
        inner.secureInbound(overheard(connection, onWrite), options),
      secureOutbound: (connection: MessageStream, options) =>
        inner.secureOutbound(overheard(connection, onWrite), options)
    }
  }
}

function tappedMuxer<C>(
  muxer: (components: C) => StreamMuxerFactory,
  onFrames: (bytes: Uint8Array) => void
): (components: C) => StreamMuxerFactory {
  return (components) => {
    const inner = muxer(components)
    return {
      protocol: inner.protocol,
      createStreamMuxer: (connection) =>
        inner.createStreamMuxer(overheard(connection, (bytes) => onFrames(bytes.slice())))
    }
  }
}

function overheard(stream: MessageStream, onSend: (bytes: Bytes) => void): MessageStream {
  const send = stream.send.bind(stream)
  stream.send = (bytes) => {
    onSend(bytes)
    return send(bytes)
  }
  return stream
}
