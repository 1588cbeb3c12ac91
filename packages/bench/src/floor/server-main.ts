// A process with bare nodes that send back each message.
import { serve } from '../processes/serve.ts'
import { bareNode, COALESCED, type Layers, STREAM } from './bare-node.ts'
import { echo } from './requests.ts'

const handlers = {
  /** Starts nodes and resolves with their addresses. */
  async start({ nodes, layers }: { nodes: number; layers: Layers }): Promise<string[]> {
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
  return node.getMultiaddrs().map(String)
}
