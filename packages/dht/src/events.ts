import type { PeerId } from '@libp2p/interface'
import type { DHTTime, Key } from '@waggle/record'
import type { ClockReading } from './clock-reading.ts'

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

  /**
   * This node holds something new for others under a key, be it stored by itself, by another peer or
   * handed over.
   */
  'record:stored': CustomEvent<RecordNotice>

  /** What this node held for others under a key has expired, and is swept from memory and disk. */
  'record:expired': CustomEvent<RecordNotice>

  /** The disk has begun to fail, or works again. See `stats().persistence`. */
  'disk:state': CustomEvent<DiskState>
}

const NAMES: Readonly<Record<keyof DHTEvents, true>> = {
  'peer:join': true,
  'peer:leave': true,
  'clock:skew': true,
  'record:stored': true,
  'record:expired': true,
  'disk:state': true
}

/** @throws TypeError for an event that there never is, or for what can't listen */
export function assertListening(type: unknown, listener: unknown): void {
  if (typeof type !== 'string' || !Object.hasOwn(NAMES, type)) {
    throw new TypeError(`there is no event ${type}; there are ${Object.keys(NAMES).join(', ')}`)
  }

  if (typeof listener !== 'function' && typeof Object(listener).handleEvent !== 'function') {
    throw new TypeError(`who listens to ${type} must be a function, got ${listener}`)
  }
}

/** A record that this node holds or held for others. `get` reads it. */
export interface RecordNotice {
  readonly key: Key

  /** DHT time, seconds: when the last of it expires. */
  readonly expirationTime: DHTTime
}

/** Whether what is held gets onto the disk. */
export interface DiskState {
  readonly state: 'ok' | 'failing'

  /** Why it is failing. */
  readonly error?: Error | undefined
}

/** A comparison of clocks that found them too far apart. */
export interface ClockSkew extends ClockReading {
  readonly peerId: PeerId

  /** The same against all peers compared with, `stats().clockSkewMs`: near zero if only this peer's clock is wrong. */
  readonly medianSkewMs: number
}
