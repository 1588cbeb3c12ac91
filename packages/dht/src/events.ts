import type { PeerId } from '@libp2p/interface'
import type { DHTTime, Key } from '@waggle/record'
import type { ClockReading } from './clock-reading.ts'

/** Events of a node, by their names for `dht.addEventListener`. */
export interface DHTEvents {
  /** A server of this network has connected. `detail` is its id. */
  'peer:connect': CustomEvent<PeerId>

  /** A server of this network is connected no longer, which says nothing of whether it is there. `detail` is its id. */
  'peer:disconnect': CustomEvent<PeerId>

  /** A server of this network has answered for the first time, or again after it was lost. `detail` is its id. */
  'peer:found': CustomEvent<PeerId>

  /** A server has left this network, or does not answer any more, or makes room in the routing table. `detail` is its id. */
  'peer:lost': CustomEvent<PeerId>

  /**
   * A peer's clock and this node's differ by more than `MAX_CLOCK_SKEW`, 3 seconds. `detail` has the
   * difference and its uncertainty.
   */
  'clock:skew': CustomEvent<ClockSkew>

  /**
   * This node has stored something new for others under a key, whether it was written by itself or
   * another peer or handed over.
   */
  'record:stored': CustomEvent<RecordNotice>

  /** A record that this node stored for others has expired and was removed from memory and disk. */
  'record:expired': CustomEvent<RecordNotice>

  /** This node, or its machine, slept and runs again. `detail` has for how long, as far as its clocks tell. */
  'node:wake': CustomEvent<NodeWake>

  /** The disk has started to fail, or works again. See `stats().persistence`. */
  'disk:state': CustomEvent<DiskState>
}

const NAMES: Readonly<Record<keyof DHTEvents, true>> = {
  'peer:connect': true,
  'peer:disconnect': true,
  'peer:found': true,
  'peer:lost': true,
  'clock:skew': true,
  'record:stored': true,
  'record:expired': true,
  'node:wake': true,
  'disk:state': true
}

/** @throws TypeError for an event that does not exist, or a value that is no listener */
export function assertListening(type: unknown, listener: unknown): void {
  if (typeof type !== 'string' || !Object.hasOwn(NAMES, type)) {
    throw new TypeError(`there is no event ${type}; there are ${Object.keys(NAMES).join(', ')}`)
  }

  if (typeof listener !== 'function' && typeof Object(listener).handleEvent !== 'function') {
    throw new TypeError(`the listener of ${type} must be a function, got ${listener}`)
  }
}

/** A record that this node stores or stored for others. `get` reads it. */
export interface RecordNotice {
  readonly key: Key

  /** DHT time in seconds at which the last of it expires. */
  readonly expirationTime: DHTTime
}

/** The end of a sleep. */
export interface NodeWake {
  /** Milliseconds. 0 if a browser says so and its clocks do not. */
  readonly sleptMs: number
}

/** Whether records get onto the disk. */
export interface DiskState {
  readonly state: 'ok' | 'failing'

  /** Reason of the failure. */
  readonly error?: Error | undefined
}

/** A comparison of two clocks that are too far apart. */
export interface ClockSkew extends ClockReading {
  readonly peerId: PeerId

  /** Median against all peers, `stats().clockSkewMs`. Near zero if only this peer's clock is wrong. */
  readonly medianSkewMs: number
}
