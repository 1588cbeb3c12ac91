import type { Connection, PeerId, Stream } from '@libp2p/interface'
import { BufferLimits } from '../admission/buffer-limits.ts'
import { CpuShares } from '../admission/cpu-shares.ts'
import { DelegatedLookups } from '../admission/delegated-lookups.ts'
import { dialRate } from '../admission/dial-rate.ts'
import { BUSY_PAUSE_MS, Scheduler } from '../admission/scheduler.ts'
import { SharedPlaces } from '../admission/shared-places.ts'
import { TokenBucket } from '../admission/token-bucket.ts'
import { Turns } from '../admission/turns.ts'
import { BoundedMap } from '../collections/bounded-map.ts'
import { DEFAULT_NODE_LIMITS, type NodeLimits } from '../node-limits.ts'
import { ProtocolViolationError } from '../wire/protocol-violation-error.ts'
import { GuardedStream, type StreamGuard } from './guarded-stream.ts'

/** Malformed messages of one peer that count as mistakes; the next one is a violation. */
const MAX_MALFORMED = 8

/** Malformed messages forgiven per second. */
const FORGIVEN_PER_SECOND = 0.1

/** Peers whose malformed messages are remembered. */
const MAX_REMEMBERED = 4096

/** Open inbound streams of all protocols and peers, of some 40 kB of memory each. */
export const MAX_OPEN_STREAMS = 4096

/** A service's limits and its reaction to violations. */
export interface DoorInit {
  readonly limits: NodeLimits
  readonly onViolation: (peer: PeerId, error: Error) => void

  /** Aborted when the service stops. */
  readonly lifetime?: AbortSignal
}

/**
 * The node's single door (N13). For all protocols, it schedules requests, counts bytes and bans violators. Each
 * libp2p node has one, shared by its services.
 */
export class Door {
  readonly shares: CpuShares = new CpuShares()

  /** Lookups that this node makes for other peers. */
  readonly delegated: DelegatedLookups = new DelegatedLookups(this.shares)
  readonly turns: Turns = new Turns(this.shares)

  /** Inbound streams of all protocols. */
  readonly streams: SharedPlaces<Stream> = new SharedPlaces({
    maxSize: MAX_OPEN_STREAMS,
    reason: 'the oldest stream of the peer with the most streams makes room for others'
  })

  /** Limits of buffered bytes. */
  readonly buffers: BufferLimits = new BufferLimits(DEFAULT_NODE_LIMITS)
  #limits: NodeLimits = DEFAULT_NODE_LIMITS
  #scheduler = new Scheduler(DEFAULT_NODE_LIMITS, this.shares)
  #dials = dialRate(DEFAULT_NODE_LIMITS.maxDialsPerSecond)
  readonly #services = new Set<DoorInit>()
  readonly #malformed = new BoundedMap<string, TokenBucket>({ maxSize: MAX_REMEMBERED })

  /**
   * Sets a node's own limits in place of the defaults. A second service of the node shares the limits of the first,
   * and is notified of violations, too.
   */
  open(service: DoorInit): void {
    if (this.#services.size === 0) {
      this.#setLimits(service.limits)
    }

    this.#services.add(service)
    service.lifetime?.addEventListener('abort', () => this.#close(service))
  }

  /** The buffers are checked as long as any service runs. */
  #close(service: DoorInit): void {
    this.#services.delete(service)

    if (this.#services.size === 0) {
      this.buffers.stop()
    }
  }

  get limits(): NodeLimits {
    return this.#limits
  }

  /** Turns and rates of requests that are processed in steps. */
  get scheduler(): Scheduler {
    return this.#scheduler
  }

  /** Rate of dials to addresses from other peers. */
  get dials(): TokenBucket {
    return this.#dials
  }

  /** Begins a task in the peer's turn, within its rate. */
  admit(peer: string, task: () => void): void {
    if (this.#scheduler.admission.admits(peer, 1)) {
      this.turns.add(peer, task)
    } else {
      setTimeout(() => this.admit(peer, task), BUSY_PAUSE_MS)
    }
  }

  /** Wraps a stream for its protocol. */
  guard(stream: Stream, { remotePeer }: Connection, guard: StreamGuard): Stream {
    const peer = remotePeer.toString()
    const { buffers } = this
    const guarded = new GuardedStream({
      stream,
      guard,
      turn: (task) => this.admit(peer, task),
      onBacklog: () => buffers.scheduleCheck(),
      onFault: (error) => this.reportFault(remotePeer, error)
    })
    const buffering = {
      get bufferedBytes() {
        return guarded.bufferedBytes
      },
      get stuckSinceMs() {
        return guarded.stuckSinceMs
      },
      close: (error: Error) => guarded.abort(error)
    }
    buffers.add(buffering, peer)
    guarded.addEventListener('close', () => buffers.delete(buffering))
    return guarded
  }

  /** Records the fault that ended a stream: a malformed message, or another one. */
  reportFault(peer: PeerId, error: Error): void {
    if (error instanceof ProtocolViolationError) {
      this.forgive(peer, error)
    }
  }

  /** Tolerates faults that honest peers cause by mistake. Repeated ones count as a violation. */
  forgive(peer: PeerId, error: Error): void {
    if (!this.#malformedOf(peer).tryTake(1, 1)) {
      this.reportViolation(peer, error)
    }
  }

  /** Reports a peer's protocol violation to all services of the node. */
  reportViolation(peer: PeerId, error: Error): void {
    for (const { onViolation } of this.#services) {
      onViolation(peer, error)
    }
  }

  #setLimits(limits: NodeLimits): void {
    this.#limits = limits
    this.#scheduler = new Scheduler(limits, this.shares)
    this.buffers.setLimits(limits)
    this.#dials = dialRate(limits.maxDialsPerSecond)
  }

  #malformedOf(peer: PeerId): TokenBucket {
    return this.#malformed.getOrAdd(
      peer.toString(),
      () => new TokenBucket({ perSecond: FORGIVEN_PER_SECOND, burst: MAX_MALFORMED })
    )
  }
}

/** Identifies a node by its event bus, which all of its services receive. */
export interface NodeIdentity {
  readonly events: object
}

const doors = new WeakMap<object, Door>()

/** Returns the door of a service's node. */
export function doorOf({ events }: NodeIdentity): Door {
  const known = doors.get(events)
  const door = known ?? new Door()

  if (known === undefined) {
    doors.set(events, door)
  }

  return door
}
