import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import type { AttackReport } from './attacker.ts'
import type { AttackName } from './attacks.ts'

const MAIN = fileURLToPath(new URL('./attacker-main.ts', import.meta.url))

/** An attack that goes on in a process of its own. Disposing of it kills it. */
export class AttackerProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>

  private constructor(child: ChildProcess) {
    this.#child = child
    this.#ended = once(child, 'exit')
  }

  /** Resolves when the attacker has begun. */
  static async start(attack: AttackName, victim: readonly string[]): Promise<AttackerProcess> {
    const args = ['--conditions=@waggle/source', MAIN, attack, ...victim]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    const attacker = new AttackerProcess(child)
    await Promise.race([once(child, 'message'), attacker.#ended])
    return attacker
  }

  /** Ends the attack; resolves with what came of it. */
  async stop(): Promise<AttackReport> {
    const reported = once(this.#child, 'message')
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
