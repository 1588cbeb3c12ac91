import type { PeerId, PeerInfo, Stream } from '@libp2p/interface'
import { BoundedMap } from '../collections/bounded-map.ts'
import { MAX_CACHED_PEERS } from '../wire/limits.ts'
import { ProgressClock } from '../wire/progress-clock.ts'

/** Notices progress on the streams that kad-dht opens, each for one request and its response (N12). */
export class StreamProgress {
  readonly #clocks = new BoundedMap<string, ProgressClock>({ maxSize: MAX_CACHED_PEERS })

  /** When a peer made progress last, in ms of the process's clock. */
  progressMs({ id }: PeerInfo): number {
    return this.#clocks.get(id.toString())?.sinceMs ?? Number.NEGATIVE_INFINITY
  }

  /** Follows a stream to a peer. */
  follow(stream: Stream, peer: PeerId): void {
    const name = peer.toString()
    const clock = this.#clocks.get(name) ?? new ProgressClock(performance.now())
    clock.reset(performance.now())
    this.#clocks.set(name, clock)
    stream.addEventListener('message', ({ data }) => clock.move(data.byteLength, performance.now()))
    stream.addEventListener('drain', () => clock.reset(performance.now()))
  }
}
