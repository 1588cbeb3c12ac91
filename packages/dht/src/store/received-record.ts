import type { Logger, PeerId } from '@libp2p/interface'
import { type DHTRecord, isEmpty, type MaybePromise } from '@waggle/record'
import { isPromise, whenDone } from '@waggle/record/replica'
import type { RecordStore } from './record-store.ts'
import { ForgedSignatureError } from './signature-checks.ts'

/** Log and checks for what a peer sends. */
export interface Judge {
  readonly log: Logger

  /** The store, for its checks. */
  readonly store: RecordStore

  /** Called with a peer that has sent a forged signature. */
  readonly onForgery?: ((peer: PeerId, error: Error) => void) | undefined
}

/**
 * Returns a record that a peer has sent without the entries that validators refuse; undefined if it breaks a rule
 * (N9a), has expired, or becomes empty. Its bytes are a copy, so keeping it does not keep the whole message in
 * memory.
 */
export function receivedRecord(
  peer: { readonly id: PeerId },
  key: Uint8Array,
  bytes: Uint8Array,
  { log, store, onForgery }: Judge
): MaybePromise<DHTRecord | undefined> {
  const ignored = (error: unknown): undefined => {
    log('ignoring an invalid record from %p - %e', peer.id, error)

    if (error instanceof ForgedSignatureError) {
      onForgery?.(peer.id, error)
    }
  }

  try {
    const checked = store.checks.receive(key, bytes.slice(), peer.id.toString())
    const received = whenDone(checked, ({ record, refusals }) => {
      if (refusals.length > 0) {
        log('ignoring refused entries from %p - %s', peer.id, refusals.join(', '))
      }

      return isEmpty(record) ? undefined : record
    })
    return isPromise(received) ? received.then(undefined, ignored) : received
  } catch (error) {
    return ignored(error)
  }
}
