// The process that sends requests to bare nodes and times them.
import { multiaddr } from '@multiformats/multiaddr'
import { serve } from '../processes/serve.ts'
import { drive, type Load, type Measured, type Operate } from '../workload/drive.ts'
import { bareNode, COALESCED, type Layers, STREAM } from './bare-node.ts'
import { Requester } from './requests.ts'

/** One operation is a request to the first node by one kind of stream, or to all nodes at once (`fan-out`). */
export type FloorOperation = 'stream' | 'coalesced' | 'fan-out' | 'fan-out coalesced'

export interface FloorLoad extends Load {
  readonly operation: FloorOperation
}

/** Bytes of each request and of its reply: about a small record with its key. */
const MESSAGE = new Uint8Array(200).fill(7)

let operations: Readonly<Record<FloorOperation, Operate>>

const handlers = {
  /** Connects to nodes by their addresses. */
  async start({ addresses, layers }: { addresses: string[]; layers: Layers }): Promise<void> {
    const node = await bareNode(layers)
    const connections = await Promise.all(addresses.map((address) => node.dial(multiaddr(address))))
    const open = (protocol: string): Promise<Requester[]> =>
      Promise.all(
        connections.map(async (connection) => {
          const isCoalesced = protocol === COALESCED
          return new Requester(await connection.newStream(protocol), { isCoalesced })
        })
      )
    const [streams, coalesced] = [await open(STREAM), await open(COALESCED)]

    operations = {
      stream: requestAll(streams.slice(0, 1)),
      coalesced: requestAll(coalesced.slice(0, 1)),
      'fan-out': requestAll(streams),
      'fan-out coalesced': requestAll(coalesced)
    }
  },

  run({ operation, ...load }: FloorLoad): Promise<Measured> {
    return drive(operations[operation], load)
  }
}

export type FloorClient = typeof handlers

serve(handlers)

function requestAll(requesters: readonly Requester[]): Operate {
  return async () => {
    await Promise.all(requesters.map((requester) => requester.request(MESSAGE)))
    return true
  }
}
