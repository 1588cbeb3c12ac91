import { AbortError, type PeerInfo } from '@libp2p/interface'
import { type DHTRecord, isEmpty } from '@waggle/record'
import { encodedSize } from '@waggle/record/replica'
import type { ReplyOutcome } from '../lookup/record-channel.ts'
import { nameOf, type RecordStore } from '../store/record-store.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import { mapMany } from '../timing/many.ts'
import { MAX_RECORD_BYTES_IN_FLIGHT } from './anti-entropy.ts'
import { OwedTransfers } from './owed-transfers.ts'
import { NEWCOMER_MS, Pace } from './pace.ts'

/** Records in flight. */
export const MAX_IN_FLIGHT = 256

/** A record to be handed over to one peer. */
export interface Transfer {
  readonly key: Uint8Array
  readonly to: PeerInfo
  readonly sizeBytes: number
}

interface TransfersInit {
  readonly store: RecordStore

  /** Sends a record to a peer. Rejects when the peer gives no usable response. */
  readonly send: (to: PeerInfo, key: Uint8Array, record: DHTRecord) => Promise<ReplyOutcome>

  /** Returns the time at which a peer became a member, in ms of the process's clock; infinity for other peers. */
  readonly sinceMs: (peer: string) => number

  /** Cancelled when the node stops. */
  readonly cancellation: CancellationToken
}

/** Sends records to replicas, slowly to newcomers, and remembers the transfers that have failed. */
export class Transfers {
  readonly #init: TransfersInit
  readonly #pace = new Pace()
  #owed = new OwedTransfers()

  constructor(init: TransfersInit) {
    this.#init = init
  }

  /** Transfers that have failed, or were skipped because another one to the same peer had failed. */
  get owed(): OwedTransfers {
    return this.#owed
  }

  /** Returns the transfers that are owed, and forgets them: the caller sends them again. */
  takeOwed(): OwedTransfers {
    const owed = this.#owed
    this.#owed = new OwedTransfers()
    return owed
  }

  /** Sends records. Adds each peer that fails to `failed`, and sends it no more. */
  async sendAll(transfers: Iterable<Transfer>, failed: Set<string>): Promise<void> {
    await mapMany(transfers, (transfer) => this.#sendPresent(transfer, failed), {
      cancellation: this.#init.cancellation,
      maxItems: MAX_IN_FLIGHT,
      maxBytes: MAX_RECORD_BYTES_IN_FLIGHT,
      bytesOf: ({ sizeBytes }) => sizeBytes
    })
  }

  /** Sends a record, and delays it for a newcomer. Rejects when sending fails. */
  async send(to: PeerInfo, key: Uint8Array, record: DHTRecord): Promise<ReplyOutcome> {
    const { cancellation, send, sinceMs } = this.#init

    if (performance.now() - sinceMs(to.id.toString()) < NEWCOMER_MS) {
      await this.#pace.wait(encodedSize(record))
    }

    if (cancellation.isCancelled) {
      throw new AbortError('the node was stopped')
    }

    return send(to, key, record)
  }

  /** Sends the present record of a key. */
  async #sendPresent({ key, to }: Transfer, failed: Set<string>): Promise<void> {
    const record = this.#init.store.get(key)
    const peer = to.id.toString()

    if (isEmpty(record)) {
      return
    }

    if (failed.has(peer)) {
      this.#owed.add(peer, nameOf(key))
      return
    }

    try {
      await this.send(to, key, record)
    } catch {
      failed.add(peer)
      this.#owed.add(peer, nameOf(key))
    }
  }
}
