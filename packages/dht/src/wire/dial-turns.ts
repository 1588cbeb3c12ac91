import type { PeerId } from '@libp2p/interface'
import { TaskQueue } from '../admission/task-queue.ts'
import { RoundTripEstimate } from '../peers/round-trip-estimate.ts'
import { wait } from '../timing/wait.ts'

/**
 * Dials under way in this process. A handshake takes about 10 ms of processor time at each end (docs/network.md): more at
 * once would only slow each other down until all time out.
 */
export const MAX_DIALS = 40

/** Milliseconds after which a dial gives its turn to another, at the least: its peer may be gone. */
export const MIN_TURN_MS = 500

/** The nodes of a process share its event loop, and take turns. */
const queue = new TaskQueue({ maxRunning: MAX_DIALS })
const dialTimes = new RoundTripEstimate()

/** The dials of one peer. */
interface Dials {
  waiting: number
  underWay: number

  /** Time since which any has been under way, in ms of the process's clock. */
  beganMs: number
}

/**
 * Runs a node's dials in turns: a few at once in the whole process, and task by task in rotation, so that a thousand dials
 * for bulk delay no single request. A dial that waits for its turn says nothing of its peer (N12).
 */
export class DialTurns {
  readonly #node: string
  readonly #dials = new Map<string, Dials>()

  constructor(self: PeerId) {
    this.#node = self.toString()
  }

  /** Runs a dial in the turn of its task. Settles as the dial does. */
  async run(peer: PeerId, task: string, dial: () => Promise<void>): Promise<void> {
    const name = peer.toString()
    const dials = this.#dials.get(name) ?? { waiting: 0, underWay: 0, beganMs: 0 }
    this.#dials.set(name, dials)
    dials.waiting++

    try {
      await inTurn(`${this.#node} ${task}`, () => {
        dials.waiting--
        dials.beganMs = dials.underWay > 0 ? dials.beganMs : performance.now()
        dials.underWay++
        return dial()
      })
    } finally {
      dials.underWay--

      if (dials.waiting + dials.underWay === 0) {
        this.#dials.delete(name)
      }
    }
  }

  /**
   * The time of a peer's last progress, in ms of the process's clock: now while its dial waits for its turn, then the
   * beginning of the dial. Further dials to the peer change nothing: a dead one makes no progress by being dialled again.
   */
  progressMs({ id }: { readonly id: PeerId }): number {
    const dials = this.#dials.size === 0 ? undefined : this.#dials.get(id.toString())

    if (dials === undefined) {
      return Number.NEGATIVE_INFINITY
    }

    return dials.underWay > 0 ? dials.beganMs : performance.now()
  }
}

/** Runs a dial in turn. The turn ends with the dial, or when the dial takes longer than most. */
function inTurn(label: string, dial: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    void queue.run(label, async () => {
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
