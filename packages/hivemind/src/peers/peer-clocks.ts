import type { PeerId } from '@libp2p/interface'
import type { ClockSkew } from '@waggle/dht'
import { BoundedMap, type ClockReading, isSkewed, median } from '../waggle-parts.ts'

/** Peers whose last readings are kept: enough for a median that a few of them cannot move. */
const MAX_READINGS = 16

/** Remembers the readings of peers' clocks, and reports those that differ too much from this node's. */
export class PeerClocks {
  readonly #readings = new BoundedMap<string, ClockReading>({ maxSize: MAX_READINGS })
  readonly #onSkew: (skew: ClockSkew) => void

  constructor(onSkew: (skew: ClockSkew) => void) {
    this.#onSkew = onSkew
  }

  /** Median of the milliseconds by which peers' clocks are ahead of this node's; undefined without a reading. */
  get medianSkewMs(): number | undefined {
    return median(Array.from(this.#readings.values(), ({ skewMs }) => skewMs))
  }

  record(peerId: PeerId, reading: ClockReading): void {
    this.#readings.set(peerId.toString(), reading)

    if (isSkewed(reading)) {
      const medianSkewMs = this.medianSkewMs ?? reading.skewMs
      this.#onSkew({ peerId, ...reading, medianSkewMs })
    }
  }
}
