// A process with bare nodes that send back what they get, and a TCP server that does the same.
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Stream } from '@libp2p/interface'
import { serve } from '../processes/serve.ts'
import {
  bareNode,
  COALESCED_PROTOCOL,
  FRESH_PROTOCOL,
  type Layers,
  MANY_STREAMS,
  STREAM_PROTOCOL
} from './bare-node.ts'
import { coalesced, echo, socketWire, streamWire } from './channel.ts'
import type { FloorServerHandlers } from './handlers.ts'

serve<FloorServerHandlers>({
  async start({ layers, nodes }) {
    const addresses: string[] = []

    for (let i = 0; i < nodes; i++) {
      addresses.push(...(await startNode(layers)))
    }

    return { nodes: addresses, tcpPort: await startTCP() }
  }
})

async function startNode(layers: Layers): Promise<string[]> {
  const node = await bareNode({ layers, listen: ['/ip4/127.0.0.1/tcp/0'] })
  await node.handle(STREAM_PROTOCOL, (stream) => echo(streamWire(stream)))
  await node.handle(COALESCED_PROTOCOL, (stream) => echo(coalesced(streamWire(stream))))
  await node.handle(FRESH_PROTOCOL, echoAndClose, MANY_STREAMS)
  return node.getMultiaddrs().map(String)
}

function echoAndClose(stream: Stream): void {
  echo(streamWire(stream))
  stream.addEventListener('remoteCloseWrite', () => void stream.close().catch(() => undefined))
}

/** Answers the port. */
async function startTCP(): Promise<number> {
  const server = createServer({ noDelay: true }, (socket) => echo(socketWire(socket)))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()

  if (address === null || typeof address === 'string') {
    throw new Error('the TCP server has no port')
  }

  return address.port
}
