import { once } from 'node:events'
import type { Libp2p, ServiceMap, Stream } from '@libp2p/interface'
import { summaryOf } from '../../statistics.ts'

const ECHO_PROTOCOL = '/waggle-bench/echo/1.0.0'

/** Has a node send back whatever it is sent. */
export async function serveEcho(node: Libp2p<ServiceMap>): Promise<void> {
  await node.handle(ECHO_PROTOCOL, (stream) => {
    stream.addEventListener('message', ({ data }) => {
      stream.send(data)
    })
  })
}

/** How long one byte takes there and back on an open stream, in the middle of several. */
export async function bareRoundTripMs(
  node: Libp2p<ServiceMap>,
  { count }: { count: number }
): Promise<number> {
  const [connection] = node.getConnections()

  if (connection === undefined) {
    throw new Error('the node is connected to nobody')
  }

  const stream = await connection.newStream(ECHO_PROTOCOL)
  const timesMs: number[] = []

  for (let i = 0; i < count; i++) {
    timesMs.push(await echoMs(stream))
  }

  await stream.close()
  return summaryOf(timesMs).p50
}

async function echoMs(stream: Stream): Promise<number> {
  const start = performance.now()
  stream.send(Uint8Array.of(1))
  await once(stream, 'message')
  return performance.now() - start
}
