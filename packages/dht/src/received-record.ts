import type { Logger } from '@libp2p/interface'
import { checkRecord, type DHTRecord } from '@waggle/record'
import type { Contact } from './interface.ts'
import type { RecordStore } from './store/record-store.ts'

/** What a peer's answer is judged by. */
export interface Judge {
  readonly log: Logger

  /** For its limits and its clock. */
  readonly store: RecordStore
}

/**
 * The record that a peer answered with; undefined if it breaks a rule (N9) or has expired. It has
 * bytes of its own, so that whoever keeps it does not keep the whole message that it came in.
 */
export function receivedRecord(
  peer: Contact,
  key: Uint8Array,
  bytes: Uint8Array,
  { log, store }: Judge
): DHTRecord | undefined {
  try {
    return checkRecord(key, bytes.slice(), { now: store.clock(), limits: store.limits })
  } catch (error) {
    log('ignoring the record that %p answered with - %e', peer.id, error)
    return undefined
  }
}
