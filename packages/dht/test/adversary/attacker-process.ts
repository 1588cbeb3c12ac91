import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { killAtEnd } from '../support/left-processes.ts'
import type { AttackReport } from './attacker.ts'
import type { AttackName } from './attacks.ts'

const ATTACKER = fileURLToPath(new URL('./attacker-main.ts', import.meta.url))
const BYSTANDER = fileURLToPath(new URL('./bystander-main.ts', import.meta.url))

/**
 * Milliseconds of a tick. Linux counts a process's time in hundredths of a second, whatever its own clock does.
 */
const TICK_MS = 10
const [USER_TIME_AT, SYSTEM_TIME_AT] = [11, 12]

/** A running attack in a process of its own. Disposing of it kills it. */
export class AttackerProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>

  private constructor(child: ChildProcess) {
    this.#child = child
    this.#ended = once(child, 'exit')
  }

  /** Resolves when the attacker has begun. */
  static start(attack: AttackName, victim: readonly string[]): Promise<AttackerProcess> {
    return AttackerProcess.#run(ATTACKER, [attack, ...victim])
  }

  /**
   * Starts a process that only uses a share of a processor, as {@link use} says, and none at first.
   */
  static bystander(): Promise<AttackerProcess> {
    return AttackerProcess.#run(BYSTANDER, [])
  }

  static async #run(main: string, given: readonly string[]): Promise<AttackerProcess> {
    const args = ['--conditions=@waggle/source', main, ...given]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    killAtEnd(child)
    const attacker = new AttackerProcess(child)
    await Promise.race([once(child, 'message'), attacker.#ended])
    return attacker
  }

  /** Processor time of the process, in ms. */
  get usedMs(): number {
    // The fields before are the process id and the program in parentheses.
    const [, status = ''] = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8').split(') ')
    const fields = status.split(' ')
    return TICK_MS * (Number(fields[USER_TIME_AT]) + Number(fields[SYSTEM_TIME_AT]))
  }

  /** Lets a bystander use a share of a processor. */
  use(share: number): void {
    this.#child.send(share)
  }

  /** Suspends the process. */
  pause(): void {
    this.#child.kill('SIGSTOP')
  }

  goOn(): void {
    this.#child.kill('SIGCONT')
  }

  /** Ends the attack, and resolves with its report. */
  async stop(): Promise<AttackReport> {
    const reported = once(this.#child, 'message')
    this.goOn()
    this.#child.send('stop')
    const [report] = await Promise.race([reported, this.#ended.then(() => [undefined])])

    if (report === undefined) {
      throw new Error('the attacker ended without a report')
    }

    await this.#ended
    return report as AttackReport
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGKILL')
      await this.#ended
    }
  }
}
