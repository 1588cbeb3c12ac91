import type { AbortOptions, PeerId } from '@libp2p/interface'
import { TaskQueue } from '../admission/task-queue.ts'
import { BoundedMap } from '../collections/bounded-map.ts'
import { Tally } from '../collections/tally.ts'
import { RoundTripEstimate } from '../peers/round-trip-estimate.ts'
import { wait } from '../timing/wait.ts'
import { MAX_CACHED_PEERS } from './limits.ts'

/**
 * Dials of this process that have a turn. A handshake takes about 10 ms of processor time at each end (docs/network.md):
 * more at once would only slow each other down until all time out.
 */
export const MAX_DIALS = 40

/**
 * Milliseconds after which a dial that takes longer than most gives its turn to another: its peer may be gone. There is no
 * maximum: on an overloaded machine, where all dials take long, others would make it worse.
 */
export const MIN_TURN_MS = 500

/** The nodes of a process share its event loop, and take turns. */
const queue = new TaskQueue({ maxRunning: MAX_DIALS })
const dialTimes = new RoundTripEstimate()

export interface TurnOptions extends AbortOptions {
  /** Dials of one task have their turns in order, and tasks in rotation. */
  readonly task: string

  /** Whether the peer has refused the same dial before. */
  readonly isRepeated: boolean
}

/**
 * Runs a node's dials in turns: a few at once in the whole process, and task by task in rotation, so that a thousand dials
 * for bulk delay no single request. A dial that waits for its turn says nothing of its peer (N12).
 */
export class DialTurns {
  readonly #node: string
  readonly #waiting = new Tally<string>()
  readonly #underWay = new Tally<string>()

  /** Times at which peers' dials began, or succeeded, in ms of the process's clock. */
  readonly #progressMs = new BoundedMap<string, number>({ maxSize: MAX_CACHED_PEERS })

  constructor(self: PeerId) {
    this.#node = self.toString()
  }

  /** Runs a dial in the turn of its task. Settles as the dial does, or rejects when the signal is aborted before. */
  async run(
    peer: PeerId,
    { task, isRepeated, signal }: TurnOptions,
    dial: () => Promise<void>
  ): Promise<void> {
    const name = peer.toString()
    this.#waiting.add(name)
    let isWaiting = true
    const endWait = (): void => {
      this.#waiting.add(name, isWaiting ? -1 : 0)
      isWaiting = false
    }

    try {
      await inTurn(`${this.#node} ${task}`, signal, async () => {
        endWait()

        // A dead peer makes no progress by being dialled again.
        if (!isRepeated && !this.#underWay.has(name)) {
          this.#progressMs.set(name, performance.now())
        }

        this.#underWay.add(name)

        try {
          await dial()
          this.#progressMs.set(name, performance.now())
        } finally {
          this.#underWay.add(name, -1)
        }
      })
    } finally {
      endWait()
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
}

/** Runs a dial in turn. The turn ends with the dial, or when the dial takes longer than most. */
function inTurn(
  label: string,
  signal: AbortSignal | undefined,
  dial: () => Promise<void>
): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    void queue.run(label, async () => {
      signal?.removeEventListener('abort', onAbort)

      if (signal?.aborted) {
        reject(signal.reason)
        return
      }

      const startMs = performance.now()
      const ended = new AbortController()
      const done = dial().then(() => {
        dialTimes.add(performance.now() - startMs)
        resolve()
      })
      done.catch(reject).finally(() => ended.abort())
      await wait(Math.max(MIN_TURN_MS, dialTimes.lateAfterMs ?? 0), ended.signal)
    })
  })
}
