import type { AbortOptions, PeerId } from '@libp2p/interface'
import { raceSignal } from 'race-signal'
import { TaskQueue } from '../admission/task-queue.ts'
import { BoundedMap } from '../collections/bounded-map.ts'
import { Tally } from '../collections/tally.ts'
import { RoundTripEstimate } from '../peers/round-trip-estimate.ts'
import { afterRunning } from '../timing/running-time.ts'
import { MAX_CACHED_PEERS } from './limits.ts'

/**
 * Turns of this process at the same time. A handshake takes about 10 ms of processor time at each end (docs/network.md):
 * more at once would only slow each other down until all time out.
 */
export const MAX_TURNS = 40

/**
 * Milliseconds after which a dial that takes longer than most loses its turn to another: its peer may be gone. There is
 * no maximum: on an overloaded machine, where all dials take long, others would make it worse.
 */
export const MIN_TURN_MS = 500

/** The nodes of a process share its event loop, and take turns. */
const queue = new TaskQueue({ maxRunning: MAX_TURNS })
const dialTimes = new RoundTripEstimate()

export interface TurnOptions extends AbortOptions {
  /** Dials of one task have their turns in order, and tasks in rotation. */
  readonly task: string

  /** Whether the dial is needed for bulk, which is a task of its own. @default false */
  readonly isBulk?: boolean | undefined

  /** Whether the same dial had a turn before: the peer refused it, or it exceeded the rate of dials. */
  readonly isRepeated: boolean
}

/**
 * Gives a node's dials their turns: a few at once in the whole process, and task by task in rotation, so that a thousand
 * dials for bulk delay no single request. A dial that waits for its turn says nothing of its peer (N12).
 */
export class DialTurns {
  readonly #node: string
  readonly #waiting = new Map<string, Set<Turn>>()
  readonly #underWay = new Tally<string>()

  /** Times at which peers' dials had their turns, or succeeded, in ms of the process's clock. */
  readonly #progressMs = new BoundedMap<string, number>({ maxSize: MAX_CACHED_PEERS })

  constructor(self: PeerId) {
    this.#node = self.toString()
  }

  /** Resolves when the turn of a dial to a peer has come. Rejects when the signal is aborted before. */
  async take(
    peer: PeerId,
    { task, isBulk = false, isRepeated, signal }: TurnOptions
  ): Promise<Turn> {
    signal?.throwIfAborted()
    const name = peer.toString()
    const sinceMs = performance.now()
    const turn = new Turn(task, isBulk, {
      onRestart: () => this.#restart(name),
      onSuccess: () => this.#progressMs.set(name, performance.now()),
      onEnd: () => this.#underWay.add(name, -1)
    })
    this.#startWaiting(name, turn)

    try {
      this.#enqueue(turn)
      await raceSignal(turn.begun, signal)
    } catch (error) {
      turn.cancel()
      throw error
    } finally {
      this.#endWaiting(name, turn)
    }

    this.#recordTurn(name, { sinceMs, isRepeated })
    this.#underWay.add(name)
    return turn
  }

  /** Lets the dials to a peer that wait as bulk have their turns as soon as those for single requests. */
  hasten(peer: PeerId, task: string): void {
    for (const turn of this.#waiting.get(peer.toString()) ?? []) {
      if (turn.isBulk && turn.task === task) {
        turn.isBulk = false
        this.#enqueue(turn)
      }
    }
  }

  /**
   * The time of a peer's last progress with being dialled, in ms of the process's clock: now while its dial waits for its
   * turn, then the dial's beginning, and its success.
   */
  progressMs({ id }: { readonly id: PeerId }): number {
    const name = id.toString()
    const isWaiting = this.#waiting.has(name) && !this.#underWay.has(name)
    return isWaiting ? performance.now() : (this.#progressMs.get(name) ?? Number.NEGATIVE_INFINITY)
  }

  #enqueue(turn: Turn): void {
    const task = turn.isBulk ? `${turn.task} in bulk` : turn.task
    void queue.run(`${this.#node} ${task}`, () => turn.begin())
  }

  #startWaiting(name: string, turn: Turn): void {
    const turns = this.#waiting.get(name) ?? new Set()
    this.#waiting.set(name, turns.add(turn))
  }

  #endWaiting(name: string, turn: Turn): void {
    const turns = this.#waiting.get(name)
    turns?.delete(turn)
    turns?.size === 0 && this.#waiting.delete(name)
  }

  /**
   * Records that a peer is dialled. It makes no progress by being dialled again: neither a dead one, while the first dial
   * is under way, nor one that refuses.
   */
  #recordTurn(
    name: string,
    { sinceMs, isRepeated }: { sinceMs: number; isRepeated: boolean }
  ): void {
    if (this.#underWay.has(name)) {
      return
    }

    const nowMs = performance.now()
    const beforeMs = isRepeated ? this.#progressMs.get(name) : undefined
    const waitedMs = nowMs - sinceMs
    this.#progressMs.set(name, Math.min(nowMs, (beforeMs ?? nowMs) + waitedMs))
  }

  /** Records that a peer is dialled only now, unless another dial to it is under way. */
  #restart(name: string): void {
    if (this.#underWay.get(name) === 1) {
      this.#progressMs.set(name, performance.now())
    }
  }
}

interface TurnListeners {
  readonly onRestart: () => void
  readonly onSuccess: () => void
  readonly onEnd: () => void
}

/** The turn of a dial, which waits for it first. */
export class Turn implements Disposable {
  readonly task: string
  isBulk: boolean
  readonly #listeners: TurnListeners
  readonly #begun = Promise.withResolvers<void>()
  readonly #ended = Promise.withResolvers<void>()
  #isWaiting = true
  #startMs = 0

  constructor(task: string, isBulk: boolean, listeners: TurnListeners) {
    this.task = task
    this.isBulk = isBulk
    this.#listeners = listeners
  }

  /** Resolves when the turn begins. */
  get begun(): Promise<void> {
    return this.#begun.promise
  }

  /** Begins the turn if it still waits. Resolves when the dial has ended, or takes longer than most. */
  async begin(): Promise<void> {
    if (this.#isWaiting) {
      this.#isWaiting = false
      this.#startMs = performance.now()
      this.#begun.resolve()
      const stop = afterRunning(turnMs(), () => this.#ended.resolve())
      await this.#ended.promise
      stop()
    }
  }

  /** Records that the dial is made only now, since the rate of dials had put it back. */
  restart(): void {
    this.#listeners.onRestart()
  }

  /** Gives the turn up before it has begun. */
  cancel(): void {
    this.#isWaiting = false
    this.#ended.resolve()
  }

  /** Records that the dial has succeeded. A single slow one must not make dead peers keep their turns for long. */
  succeed(): void {
    dialTimes.add(Math.min(performance.now() - this.#startMs, 2 * turnMs()))
    this.#listeners.onSuccess()
  }

  [Symbol.dispose](): void {
    this.#ended.resolve()
    this.#listeners.onEnd()
  }
}

/** Milliseconds after which a dial takes longer than most. */
function turnMs(): number {
  return Math.max(MIN_TURN_MS, dialTimes.lateAfterMs ?? 0)
}
