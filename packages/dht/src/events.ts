import type { PeerId } from '@libp2p/interface'
import type { DHTTime, Key } from '@waggle/record'
import type { ClockReading } from './clock-reading.ts'
import { shown } from './option-checks.ts'

/** Events of a node, by their names for `dht.addEventListener`. */
export interface DHTEvents {
  /** A server of this network has connected. `detail` is its id. */
  'peer:connect': CustomEvent<PeerId>

  /** A server of this network has disconnected, which does not mean that it has left. `detail` is its id. */
  'peer:disconnect': CustomEvent<PeerId>

  /** A server of this network has responded for the first time, or again after it was lost. `detail` is its id. */
  'peer:found': CustomEvent<PeerId>

  /**
   * A server has left this network, no longer responds, or was replaced in the routing table. `detail` is its id.
   */
  'peer:lost': CustomEvent<PeerId>

  /**
   * A peer's clock and this node's differ by more than `MAX_CLOCK_SKEW`, 3 seconds. `detail` has the
   * difference and its uncertainty.
   */
  'clock:skew': CustomEvent<ClockSkew>

  /** This node has stored a new record for others, written by itself or another peer, or handed over. */
  'record:stored': CustomEvent<RecordNotice>

  /** A record that this node stored for others has expired and was removed from memory and disk. */
  'record:expired': CustomEvent<RecordNotice>

  /** The process or its machine slept and runs again. `detail` has the duration, according to its clocks. */
  'node:wake': CustomEvent<NodeWake>

  /** The disk has started to fail, or works again. See `stats().persistence`. */
  'disk:state': CustomEvent<DiskState>

  /** Another node uses the same datastore. Each overwrites the other's records. */
  'disk:shared': CustomEvent<undefined>
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
  'disk:state': true,
  'disk:shared': true
}

/** @throws TypeError for an event that does not exist, or an invalid listener */
export function assertListening(type: unknown, listener: unknown): void {
  if (typeof type !== 'string' || !Object.hasOwn(NAMES, type)) {
    throw new TypeError(
      `there is no event ${shown(type)}; there are ${Object.keys(NAMES).join(', ')}`
    )
  }

  if (typeof listener !== 'function' && typeof Object(listener).handleEvent !== 'function') {
    throw new TypeError(`the listener of ${type} must be a function, got ${shown(listener)}`)
  }
}

/** A record that this node stores or stored for others. `get` reads it. */
export interface RecordNotice {
  readonly key: Key

  /** Expiration of its last entry, in DHT time (seconds). */
  readonly expirationTime: DHTTime
}

/** The end of a sleep. */
export interface NodeWake {
  /** Milliseconds. 0 if a browser reports a sleep that its clocks do not show. */
  readonly sleptMs: number
}

/** The state of the disk. */
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
