import type { PeerId } from '@libp2p/interface'
import type { ClockReading } from './clock/clock-reading.ts'

/** What happens to a node, by the name under which `dht.addEventListener` hears of it. */
export interface DHTEvents {
  /** A peer that serves our network has connected. `detail` is its id. */
  'peer:join': CustomEvent<PeerId>

  /** A peer that served our network is no longer connected, or has become a client. `detail` is its id. */
  'peer:leave': CustomEvent<PeerId>

  /**
   * A peer's clock and ours differ by more than `MAX_CLOCK_SKEW`, 3 seconds. `detail` says by how
   * much, and how sure that is.
   */
  'clock:skew': CustomEvent<ClockSkew>
}

/** A comparison of clocks that found them too far apart. */
export interface ClockSkew extends ClockReading {
  readonly peerId: PeerId

  /** The same against all peers compared with, `stats().clockSkewMs`: near zero if only this peer's clock is wrong. */
  readonly medianSkewMs: number
}
