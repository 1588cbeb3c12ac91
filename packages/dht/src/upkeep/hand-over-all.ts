import type { PeerInfo } from '@libp2p/interface'
import { type DHTRecord, isEmpty } from '@waggle/record'
import { encodedSize } from '@waggle/record/replica'
import { SEARCH_WIDTH } from '../constants.ts'
import type { ReplyOutcome } from '../lookup/record-channel.ts'
import { pointOfKey } from '../peers/key-space.ts'
import { keyOf, type RecordStore } from '../store/record-store.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import { mapMany } from '../timing/many.ts'
import { MAX_RECORD_BYTES_IN_FLIGHT } from './anti-entropy.ts'
import type { MembershipView } from './membership-view.ts'
import { MAX_IN_FLIGHT } from './transfers.ts'

export interface HandOverAllInit {
  readonly store: RecordStore

  /** The other servers. */
  readonly servers: MembershipView

  /** Sends a record. Rejects when that fails. */
  readonly send: (to: PeerInfo, key: Uint8Array, record: DHTRecord) => Promise<ReplyOutcome>
  readonly cancellation: CancellationToken
}

/**
 * Hands over all that a node holds that is no replica any more. Each record goes to the nearest server that takes it,
 * which restores the number of replicas, and is then removed here. Resolves with whether no record is left that a
 * server refused, or failed to take.
 */
export async function handOverAll(init: HandOverAllInit): Promise<boolean> {
  const { cancellation, store } = init
  const failed = new Set<string>()
  const results = await mapMany([...store.names()], (name) => handOver(name, init, failed), {
    ...{ cancellation, maxItems: MAX_IN_FLIGHT, maxBytes: MAX_RECORD_BYTES_IN_FLIGHT },
    bytesOf: (name) => encodedSize(store.get(keyOf(name)))
  })
  return results.every(Boolean)
}

/** Hands over one record. A server that has failed is asked for no other one. */
async function handOver(name: string, init: HandOverAllInit, failed: Set<string>) {
  const { cancellation, servers, store } = init
  const nearest = servers.nearest(pointOfKey(keyOf(name)), SEARCH_WIDTH)

  for (const server of nearest) {
    if (isEmpty(store.get(keyOf(name))) || cancellation.isCancelled) {
      return true
    }

    const contact = failed.has(server) ? undefined : servers.get(server)?.contact

    try {
      if (contact !== undefined && (await isTaken(name, contact, init))) {
        return true
      }
    } catch {
      failed.add(server)
    }
  }

  return nearest.length === 0
}

/** Sends a record, and removes it once the server has it, unless it has changed since. */
async function isTaken(name: string, to: PeerInfo, { send, store }: HandOverAllInit) {
  const key = keyOf(name)
  const changedMs = store.changedMs(name)
  const outcome = await send(to, key, store.get(key))
  const isSettled = outcome === 'accepted' || outcome === 'stale' || outcome === 'expired'
  const isUnchanged = store.changedMs(name) === changedMs

  if (isSettled && isUnchanged) {
    store.remove(name)
  }

  return isSettled && isUnchanged
}
