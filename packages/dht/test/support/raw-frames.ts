import type { MessageStream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { vi } from 'vitest'
import { PATIENCE } from './libp2p-node.ts'

/** A connection after the negotiation of yamux, for any bytes. */
export interface RawConnection extends AsyncDisposable {
  readonly wire: MessageStream
}

/** Connects to a peer as libp2p does, up to the start of its muxer. */
export async function rawConnection(peer: readonly (string | Multiaddr)[]): Promise<RawConnection> {
  let wire: MessageStream | undefined
  const factory = (): StreamMuxerFactory => ({
    protocol: '/yamux/1.0.0',
    createStreamMuxer(connection) {
      wire = connection
      connection.addEventListener('message', () => {})
      return silentMuxer()
    }
  })
  const node = await createLibp2p({
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [factory],
    connectionMonitor: { enabled: false }
  })
  await node.dial(peer.map((address) => multiaddr(address.toString())))
  return {
    wire: await vi.waitUntil(() => wire, PATIENCE),
    [Symbol.asyncDispose]: async () => node.stop()
  }
}

function silentMuxer(): StreamMuxer {
  const muxer = {
    protocol: '/yamux/1.0.0',
    status: 'open',
    streams: [],
    close: async () => {},
    abort: () => {},
    createStream: () => Promise.reject(new Error('there are no streams here'))
  }
  return Object.assign(new EventTarget(), muxer) as unknown as StreamMuxer
}

/** Makes one frame of yamux: its head and its content. */
export function yamuxFrame({
  type,
  flags = 0,
  stream = 0,
  length = 0,
  body = new Uint8Array(0)
}: {
  readonly type: number
  readonly flags?: number
  readonly stream?: number
  readonly length?: number
  readonly body?: Uint8Array
}): Uint8Array {
  const bytes = Buffer.alloc(12 + body.length)
  bytes[1] = type
  bytes.writeUInt16BE(flags, 2)
  bytes.writeUInt32BE(stream, 4)
  bytes.writeUInt32BE(length, 8)
  bytes.set(body, 12)
  return bytes
}
