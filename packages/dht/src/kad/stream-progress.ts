import type { PeerId, PeerInfo, Stream } from '@libp2p/interface'
import { BoundedMap } from '../collections/bounded-map.ts'
import { MAX_CACHED_PEERS } from '../wire/limits.ts'
import { ProgressClock } from '../wire/progress-clock.ts'

/** Detects progress on the streams that kad-dht opens, each for one request and its response (N12). */
export class StreamProgress {
  readonly #clocks = new BoundedMap<string, ProgressClock>({ maxSize: MAX_CACHED_PEERS })

  /** Returns the time of a peer's last progress, in ms of the process's clock. */
  progressMs({ id }: PeerInfo): number {
    return this.#clocks.get(id.toString())?.sinceMs ?? Number.NEGATIVE_INFINITY
  }

  /** Records a large request: kad-dht's protocol has no acks. */
  expect({ id }: PeerInfo, bytes: number): void {
    this.#clockOf(id).expect(bytes, performance.now())
  }

  /** Follows a stream to a peer. */
  follow(stream: Stream, peer: PeerId): void {
    const clock = this.#clockOf(peer)
    clock.reset(performance.now())
    stream.addEventListener('message', ({ data }) => clock.move(data.byteLength, performance.now()))
    stream.addEventListener('drain', () => clock.reset(performance.now()))
  }

  #clockOf(peer: PeerId): ProgressClock {
    return this.#clocks.getOrAdd(peer.toString(), () => new ProgressClock(performance.now()))
  }
}
