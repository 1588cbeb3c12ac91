import type { PeerId, Stream } from '@libp2p/interface'
import { afterAll, beforeAll } from 'vitest'
import { EXCHANGE_PROTOCOL } from '../../src/exchange/messages.ts'
import { Mailbox } from './exchange-mailbox.ts'
import { basicServices, libp2pNode } from './libp2p-node.ts'

/** Two connected peers without a DHT, and streams from one to the other. */
export interface StreamSource extends AsyncDisposable {
  /** The peer that opens the streams. */
  readonly asker: PeerId

  /** Opens a stream. Resolves with the asking end and the other one. */
  open(): Promise<[Stream, Stream]>
}

/** Sets up two such peers for all tests of a file. */
export function useStreamSource(): StreamSource {
  let source: StreamSource

  beforeAll(async () => {
    source = await streamSource()
  })

  afterAll(() => source?.[Symbol.asyncDispose]())

  return {
    get asker() {
      return source.asker
    },
    open: () => source.open(),
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose]()
  }
}

export async function streamSource(): Promise<StreamSource> {
  const near = await libp2pNode(basicServices())
  const far = await libp2pNode(basicServices())
  const arrived = new Mailbox<Stream>()
  const limits = { maxInboundStreams: 1024, maxOutboundStreams: 1024 }
  await far.handle(EXCHANGE_PROTOCOL, (stream) => arrived.push(stream), limits)
  await near.dial(far.getMultiaddrs())

  return {
    asker: near.peerId,
    async open() {
      const stream = await near.dialProtocol(far.peerId, EXCHANGE_PROTOCOL, limits)
      return [stream, await arrived.next()]
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([near.stop(), far.stop()])
    }
  }
}
