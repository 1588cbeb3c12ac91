import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as passed } from 'node:timers/promises'
import { freePort } from '../../nodes/slow-link.ts'
import { Child, nodeCommand } from '../../processes/child.ts'
import type { Ledger } from '../churn/ledger.ts'
import { Gate } from './gate.ts'
import type { ChaosNodeHandlers } from './node-main.ts'
import { Observations } from './observations.ts'

const COMMAND = nodeCommand(new URL('node-main.ts', import.meta.url))

/** First of the loopback addresses, one for each node. */
const FIRST_HOST = 11
const RETRY_MS = 500

/** Milliseconds for nodes that were cut off to fetch missed records. */
const RECOVERY_MS = 10_000

export type ChaosProcess = Child<ChaosNodeHandlers>

/** A node that has a process most of the time, an address, and a disk. */
export interface Member {
  readonly host: string
  readonly port: number
  readonly gate: Gate
  readonly dataDir: string

  /** Undefined while it is dead. */
  process: ChaosProcess | undefined
  observations: Observations

  /** Number of times that it was killed or stopped. */
  disturbances: number
  isStopped: boolean
  clockAheadMs: number
}

/** Nodes in a process each, which can be killed, stopped, and cut off from each other. */
export class ChaosNetwork implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'waggle-chaos-'))
  readonly #signal: AbortSignal
  readonly #ledger: Ledger
  readonly #disposables = new AsyncDisposableStack()
  readonly members: Member[] = []

  /** Whether some nodes are cut off from the others. */
  isCut = false

  /** Number of cuts so far. */
  cuts = 0

  /** Time at which the last cut ended, in ms of the process's clock. */
  #healedMs: number = Number.NEGATIVE_INFINITY

  /** Rejections and exceptions that processes did not handle. */
  unhandled = 0

  constructor(ledger: Ledger, signal: AbortSignal) {
    this.#ledger = ledger
    this.#signal = signal
  }

  /** Whether no nodes are cut off, or were within some seconds. */
  get isCalm(): boolean {
    return !this.isCut && performance.now() - this.#healedMs > RECOVERY_MS
  }

  async grow(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const port = await freePort()
      const gate = this.#disposables.use(await Gate.open(port))
      const [host, dataDir] = [`127.0.0.${FIRST_HOST + i}`, join(this.#folder, String(i))]
      const member: Member = {
        ...{ host, port, gate, dataDir, process: undefined },
        ...{ observations: new Observations(this.#ledger), disturbances: 0 },
        ...{ isStopped: false, clockAheadMs: 0 }
      }
      await this.#start(member)
      this.members.push(member)
    }
  }

  /** Kills a node, and starts it again on the same disk after a time. */
  async kill(member: Member, forMs: number): Promise<void> {
    const { process } = member
    member.process = undefined
    member.disturbances++
    await process?.kill()
    await this.#pass(forMs)

    while (member.process === undefined) {
      this.#signal.throwIfAborted()
      await this.#start(member).catch(() => this.#pass(RETRY_MS))
    }
  }

  /** Freezes a process, as a sleeping machine does, and continues it after a time. */
  async stop(member: Member, forMs: number): Promise<void> {
    const { process: stopped } = member

    if (stopped !== undefined) {
      member.isStopped = true
      member.disturbances++
      process.kill(stopped.pid, 'SIGSTOP')
      await this.#pass(forMs)
      process.kill(stopped.pid, 'SIGCONT')
      member.disturbances++
      member.isStopped = false
    }
  }

  /** Cuts off some nodes from all others for a time. */
  async cut(apart: ReadonlySet<Member>, forMs: number): Promise<void> {
    this.isCut = true
    this.cuts++
    const hostsOf = (are: boolean) =>
      new Set(this.members.filter((each) => apart.has(each) === are).map(({ host }) => host))
    const [inside, outside] = [hostsOf(true), hostsOf(false)]

    for (const member of this.members) {
      member.gate.cutOff(apart.has(member) ? outside : inside)
    }

    await this.#pass(forMs)

    for (const { gate } of this.members) {
      gate.cutOff(new Set())
    }

    this.isCut = false
    this.#healedMs = performance.now()
  }

  async moveClock(member: Member, byMs: number): Promise<void> {
    member.clockAheadMs += byMs
    await member.process?.call('moveClock', byMs)
  }

  async slowDisk(member: Member, delayMs: number, forMs: number): Promise<void> {
    const { process } = member
    await process?.call('slowDisk', delayMs)
    await this.#pass(forMs)
    await (process?.isRunning && process.call('slowDisk', 0))
  }

  /** Counts the unhandled rejections and exceptions of running processes. */
  async countUnhandled(): Promise<number> {
    const states = await Promise.all(this.members.map(({ process }) => process?.call('state')))
    return states.reduce((sum, state) => sum + (state?.unhandled ?? 0), 0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.members.map((member) => member.process?.kill()))
    await this.#disposables.disposeAsync()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #start(member: Member): Promise<void> {
    const { host, port, gate, dataDir, clockAheadMs } = member
    const process: ChaosProcess = new Child(COMMAND, { signal: this.#signal })
    const others = this.members.filter((each) => each !== member)

    try {
      await process.call('moveClock', clockAheadMs)
      await process.call('start', {
        ...{ host, dataDir, durability: 'written' },
        ...{ listenOn: `127.0.0.1:${port}`, announce: [`127.0.0.1:${gate.port}`] },
        initialPeers: others.map((other) => `127.0.0.1:${other.gate.port}`)
      })
    } catch (error) {
      await process.kill()
      throw error
    }

    // A restarted process only knows its reads from now on.
    member.observations = new Observations(this.#ledger)
    member.process = process
  }

  #pass(forMs: number): Promise<void> {
    return passed(forMs, undefined, { signal: this.#signal })
  }
}
