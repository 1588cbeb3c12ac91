import type { Logger, PeerInfo } from '@libp2p/interface'
import { type DHTRecord, isEmpty, type MaybePromise } from '@waggle/record'
import { isPromise, whenDone } from '@waggle/record/replica'
import type { RecordStore } from './record-store.ts'

/** Log and checks for a peer's response. */
export interface Judge {
  readonly log: Logger

  /** The store, for its checks. */
  readonly store: RecordStore
}

/**
 * Returns the record of a peer's response without what validators refuse; undefined if it breaks a
 * rule (N9a), has expired, or nothing is left of it. It has bytes of its own: keeping it does not
 * keep the whole message.
 */
export function receivedRecord(
  peer: PeerInfo,
  key: Uint8Array,
  bytes: Uint8Array,
  { log, store }: Judge
): MaybePromise<DHTRecord | undefined> {
  const ignored = (error: unknown): undefined => {
    log('ignoring the record that %p answered with - %e', peer.id, error)
  }

  try {
    const received = whenDone(store.checks.receive(key, bytes.slice()), ({ record, refusals }) => {
      if (refusals.length > 0) {
        log('ignoring some of what %p answered with - %s', peer.id, refusals.join(', '))
      }

      return isEmpty(record) ? undefined : record
    })
    return isPromise(received) ? received.then(undefined, ignored) : received
  } catch (error) {
    return ignored(error)
  }
}
