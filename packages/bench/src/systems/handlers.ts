import type { LiveMemory } from '../processes/live-memory.ts'
import type { Usage } from '../processes/usage.ts'
import type { Load, Measured } from '../workload/drive.ts'
import type { Place } from './system.ts'

/** What a process with servers answers to, whatever language it is written in. */
export type ServerHandlers = {
  /** Starts one server after another. Answers their addresses. */
  start(params: { readonly nodes: number } & Place): Promise<readonly string[]>

  /** Answers when all of them know the network, which has so many servers. */
  settle(params: { readonly servers: number }): Promise<void>
  usage(params: object): Usage

  /** Once the garbage is collected; in Node only. */
  liveMemory(params: object): Promise<LiveMemory>
}

/** A miss is a get of a key that nobody stored. */
export type Operation = 'store' | 'get' | 'latest' | 'miss'

/** What the clients' process answers to. It has a node that writes and one that reads. */
export type ClientHandlers = {
  /** Joins at the place; `servers` are the addresses of all there are. Answers when both know the network. */
  start(params: { readonly servers: readonly string[] } & Place): Promise<void>

  /** One operation on each of the keys. */
  run(params: RunParams): Promise<Measured>

  /**
   * Has all of the keys watched, then stores a value under one after the other; takes the time from the
   * beginning of each store until the watcher has its value. Where a system has such a thing.
   */
  watch(params: WatchParams): Promise<Measured>

  /** One call for all of the keys. */
  bulk(params: BulkParams): Promise<BulkMeasured>

  /** The same, but asks how much was needed at once, and not how long it took. Answers bytes; in Node only. */
  bulkMemory(params: BulkParams): Promise<number>
  usage(params: object): Usage
}

/** Keys go by numbers: what the key and the value of each are is up to the system's side. */
export interface RunParams extends Omit<Load, 'count'> {
  readonly operation: Operation
  readonly keys: readonly number[]
}

export interface WatchParams {
  readonly keys: readonly number[]

  /** Values that are stored before under each key, unmeasured. */
  readonly warmUp: number
}

export interface BulkParams {
  readonly operation: BulkOperation
  readonly keys: readonly number[]
}

export type BulkOperation = 'storeMany' | 'getMany'

export interface BulkMeasured {
  readonly elapsedMs: number

  /** Which failed, by their index. */
  readonly failed: readonly number[]

  /** By how much the process grew meanwhile, at most. */
  readonly growthBytes: number
}
