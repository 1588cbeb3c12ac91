// The process that asks bare nodes, and takes the time.
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Connection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { serve } from '../processes/serve.ts'
import { drive, type Operate } from '../workload/drive.ts'
import {
  bareNode,
  COALESCED_PROTOCOL,
  FRESH_PROTOCOL,
  MANY_STREAMS,
  MESSAGE_BYTES,
  STREAM_PROTOCOL
} from './bare-node.ts'
import { coalesced, Requester, socketWire, streamWire } from './channel.ts'
import type { FloorClientHandlers, FloorOperation } from './handlers.ts'

const message: Uint8Array = new Uint8Array(MESSAGE_BYTES).fill(7)
const operations = new Map<FloorOperation, Operate>()

serve<FloorClientHandlers>({
  async start({ layers, nodes, tcpPort }) {
    const node = await bareNode({ layers, listen: [] })
    const connections = await Promise.all(nodes.map((address) => node.dial(multiaddr(address))))
    await prepareStreams(connections)
    operations.set('tcp', askAll([await openTCP(tcpPort)]))
  },

  async run({ operation, ...load }) {
    const operate = operations.get(operation)

    if (operate === undefined) {
      throw new Error(`start comes before ${operation}`)
    }

    return drive(operate, load)
  }
})

async function prepareStreams(connections: readonly Connection[]): Promise<void> {
  const [first] = connections

  if (first === undefined) {
    throw new Error('there is no node to ask')
  }

  const plain = await Promise.all(connections.map((to) => open(to, STREAM_PROTOCOL)))
  const joined = await Promise.all(connections.map((to) => open(to, COALESCED_PROTOCOL)))

  operations.set('stream', askAll(plain.slice(0, 1)))
  operations.set('coalesced', askAll(joined.slice(0, 1)))
  operations.set('fresh', () => askOnFreshStream(first))
  operations.set('fan-out', askAll(plain))
  operations.set('fan-out coalesced', askAll(joined))
}

async function open(connection: Connection, protocol: string): Promise<Requester> {
  const wire = streamWire(await connection.newStream(protocol))
  return new Requester(protocol === COALESCED_PROTOCOL ? coalesced(wire) : wire)
}

async function openTCP(port: number): Promise<Requester> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  return new Requester(socketWire(socket))
}

function askAll(requesters: readonly Requester[]): Operate {
  return async () => {
    await Promise.all(requesters.map((requester) => requester.request(message)))
    return true
  }
}

async function askOnFreshStream(connection: Connection): Promise<boolean> {
  const stream = await connection.newStream(FRESH_PROTOCOL, MANY_STREAMS)
  await new Requester(streamWire(stream)).request(message)
  await stream.close()
  return true
}
