// A process with bare nodes that send back each message.
import { serve } from '../processes/serve.ts'
import { bareNode, COALESCED, FRESH, type Layers, MANY_STREAMS, STREAM } from './bare-node.ts'
import { echo } from './requests.ts'

const handlers = {
  /** Resolves with the addresses of the nodes. */
  async start({ layers, nodes }: { layers: Layers; nodes: number }): Promise<string[]> {
    const started = await Promise.all(Array.from({ length: nodes }, () => startNode(layers)))
    return started.flat()
  }
}

export type FloorServer = typeof handlers

serve(handlers)

async function startNode(layers: Layers): Promise<string[]> {
  const node = await bareNode(layers, ['/ip4/127.0.0.1/tcp/0'])
  await node.handle(STREAM, (stream) => echo(stream))
  await node.handle(COALESCED, (stream) => echo(stream, { isCoalesced: true }))
  await node.handle(
    FRESH,
    (stream) => {
      echo(stream)
      stream.addEventListener('remoteCloseWrite', () => void stream.close().catch(() => {}))
    },
    MANY_STREAMS
  )
  return node.getMultiaddrs().map(String)
}
