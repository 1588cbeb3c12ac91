import type { PeerInfo } from '@libp2p/interface'
import type { DHTRecord } from '@waggle/record'
import type { BusyError, UnreachableError } from '../errors.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import type { ReadOptions } from './reading.ts'
import type { WriteResult } from './write-replies.ts'

/** The records that gateways have found. */
export interface GatewayReading {
  /** The joined records of the gateways that were asked. */
  readonly record: DHTRecord

  /** Replicas that responded to one gateway. */
  readonly responded: number

  /** Set if nothing was found, and no gateway reached enough replicas to know that nothing is there. */
  readonly error: UnreachableError | BusyError | undefined
}

/** The servers that look up and store on behalf of this node (N14). */
export interface Gateways {
  /** Lists those to ask about a key, in their order. */
  for(key: Uint8Array): readonly PeerInfo[]

  /**
   * Resolves with undefined if no gateway responds.
   *
   * @param isOneEnough - whether a second gateway is not asked for the latest, or when the first one finds nothing
   */
  read(
    key: Uint8Array,
    options: ReadOptions,
    isOneEnough: boolean
  ): Promise<GatewayReading | undefined>

  /** Resolves with undefined if no gateway responds. */
  write(
    key: Uint8Array,
    write: DHTRecord,
    cancellation: CancellationToken
  ): Promise<WriteResult | undefined>
}
