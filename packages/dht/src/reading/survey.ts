import type { PeerInfo } from '@libp2p/interface'
import type { DHTRecord } from '@waggle/record'
import { type Point, pointOfPeer, roughDistance } from '../peers/key-space.ts'

/** The record that one peer holds under a key. */
export interface Surveyed {
  readonly contact: PeerInfo

  /** Undefined: the peer failed. */
  readonly record: DHTRecord | undefined

  /** Milliseconds from the request to the reply, or to the failure. */
  readonly tookMs: number
}

/** Collects peers' replies about one key. */
export class Survey {
  readonly #point: Point
  readonly #begunMs = new Map<string, number>()
  readonly #surveyed = new Map<string, Surveyed>()

  constructor(point: Point) {
    this.#point = point
  }

  /** Records a request to a peer. */
  begin({ id }: PeerInfo): void {
    this.#begunMs.set(id.toString(), performance.now())
  }

  /** Records the reply or the failure of a peer. The latter has no record. */
  end(contact: PeerInfo, record: DHTRecord | undefined): void {
    const name = contact.id.toString()
    const nowMs = performance.now()
    const tookMs = nowMs - (this.#begunMs.get(name) ?? nowMs)
    this.#surveyed.set(name, { contact, record, tookMs })
  }

  /** Lists these peers' records, with the failed peers between them, nearest first. */
  nearest(peers: readonly PeerInfo[]): Surveyed[] {
    const names = new Set(peers.map(({ id }) => id.toString()))
    const last = Math.max(...peers.map((peer) => this.#distance(peer)))
    return [...this.#surveyed.values()]
      .filter(({ contact, record }) =>
        record === undefined ? this.#distance(contact) < last : names.has(contact.id.toString())
      )
      .sort((a, b) => this.#distance(a.contact) - this.#distance(b.contact))
  }

  #distance({ id }: PeerInfo): number {
    return roughDistance(this.#point, pointOfPeer(id))
  }
}
