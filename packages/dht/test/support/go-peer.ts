import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { killAtEnd } from './left-processes.ts'

const SOURCE = fileURLToPath(new URL('../long/go-peer', import.meta.url))

/** Milliseconds for downloading and compiling go-libp2p. */
export const GO_BUILD_MS = 900_000

/** Whether Go is installed. */
export function hasGo(): boolean {
  return spawnSync('go', ['version'], { stdio: 'ignore' }).status === 0
}

/** Builds the peer in a directory, and returns the path of the program. */
export async function buildGoPeer(directory: string): Promise<string> {
  const program = join(directory, 'go-peer')
  const options = { cwd: SOURCE, timeout: GO_BUILD_MS, env: { ...process.env, CGO_ENABLED: '0' } }
  await promisify(execFile)('go', ['build', '-buildvcs=false', '-o', program, '.'], options)
  return program
}

/** A peer that runs go-libp2p-kad-dht in a process of its own. Disposing of it ends the process. */
export class GoPeer implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>
  #last: Promise<unknown> = Promise.resolve()
  #multiaddr = ''

  private constructor(child: ChildProcess) {
    this.#child = child
    const { stdout } = child

    if (stdout === null) {
      throw new Error('the peer has no output')
    }

    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]()
  }

  static async start(program: string, initialPeers: readonly string[]): Promise<GoPeer> {
    const child = spawn(program, initialPeers, { stdio: ['pipe', 'pipe', 'inherit'] })
    killAtEnd(child)
    const peer = new GoPeer(child)
    peer.#multiaddr = await peer.#line()
    return peer
  }

  get multiaddr(): string {
    return this.#multiaddr
  }

  /** Connected peers. */
  async peers(): Promise<number> {
    return Number(await this.#ask('peers'))
  }

  /** Lists the keys of its records, in hex. */
  async held(): Promise<string[]> {
    return (await this.#ask('held')).split(' ').filter((key) => key !== '')
  }

  /** Looks up a value as go-libp2p does. Undefined if it finds none. */
  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const value = await this.#ask(`get ${Buffer.from(key).toString('hex')}`)
    return value === 'none' ? undefined : Uint8Array.from(Buffer.from(value, 'hex'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit')
      this.#child.kill('SIGKILL')
      await ended
    }
  }

  /** Asks one question after the other, because answers come in their order. */
  #ask(command: string): Promise<string> {
    const answer = this.#last.then(() => {
      this.#child.stdin?.write(`${command}\n`)
      return this.#line()
    })
    this.#last = answer.catch(() => {})
    return answer
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next()

    if (done === true) {
      throw new Error('the peer has ended')
    }

    return value
  }
}
