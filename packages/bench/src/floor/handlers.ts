import type { Load, Measured } from '../workload/drive.ts'
import type { Layers } from './bare-node.ts'

/** What a process with bare nodes answers to. */
export type FloorServerHandlers = {
  /** Starts nodes, and a TCP server that does the same as they. */
  start(params: { readonly layers: Layers; readonly nodes: number }): Promise<FloorAddresses>
}

export interface FloorAddresses {
  readonly nodes: readonly string[]
  readonly tcpPort: number
}

/** What the process that asks bare nodes answers to. */
export type FloorClientHandlers = {
  /** Connects to all of them. */
  start(params: FloorAddresses & { readonly layers: Layers }): Promise<void>
  run(params: { readonly operation: FloorOperation } & Load): Promise<Measured>
}

/** One operation is a request to the first node by one kind of stream, or to all at once. */
export type FloorOperation =
  | 'stream'
  | 'coalesced'
  | 'fresh'
  | 'fan-out'
  | 'fan-out coalesced'
  | 'tcp'
