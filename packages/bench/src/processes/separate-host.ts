import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'

/** Addresses reserved for benchmarks (RFC 2544). */
const NETWORK = '198.18'

/** Reason why a scenario that needs a separate host was not measured. */
export const NO_SEPARATE_HOST = 'not measured: network namespaces need Linux and root'

/**
 * A network namespace that stands for another host, and a cable to it that can be cut. Both are removed when this
 * process ends. Needs Linux and root.
 */
export class SeparateHost implements Disposable {
  /** Address of this host as the other one reaches it. */
  readonly ownAddress: string

  /** Address of the other host. */
  readonly address: string
  readonly #holder: ChildProcess

  private constructor(holder: ChildProcess) {
    const subnet = `${NETWORK}.${(holder.pid ?? 0) % 256}`
    this.#holder = holder
    this.ownAddress = `${subnet}.1`
    this.address = `${subnet}.2`
  }

  /** Resolves with undefined if the machine or the user cannot create one. */
  static async start({ signal }: { signal: AbortSignal }): Promise<SeparateHost | undefined> {
    // The process keeps the namespace until its input, which is ours, ends.
    const holder = spawn('unshare', ['--net', 'cat'], { stdio: ['pipe', 'pipe', 'ignore'], signal })

    if (!(await echoes(holder))) {
      return undefined
    }

    const host = new SeparateHost(holder)

    if (host.#connect()) {
      return host
    }

    host[Symbol.dispose]()
    return undefined
  }

  /** Wraps a command so that it runs on the other host. */
  command(command: readonly string[]): string[] {
    return ['nsenter', `--net=/proc/${this.#holder.pid}/ns/net`, ...command]
  }

  /** Cuts the cable: packets are lost from now on, and no connection is reset. */
  pull(): void {
    this.#set('down')
  }

  plug(): void {
    this.#set('up')
  }

  /** Removes the cable at once. Removing only the namespace would take up to a minute. */
  [Symbol.dispose](): void {
    succeeds('ip', 'link', 'delete', this.#end('a'))
    this.#holder.kill('SIGKILL')
  }

  #set(state: 'up' | 'down'): void {
    if (!succeeds(...this.command(['ip', 'link', 'set', this.#end('b'), state]))) {
      throw new Error(`the network interface could not be set ${state}`)
    }
  }

  #connect(): boolean {
    const [ours, theirs] = [this.#end('a'), this.#end('b')]
    const inside = [
      `address add ${this.address}/30 dev ${theirs}`,
      `link set ${theirs} up`,
      'link set lo up',
      // Processes on that host still reach each other when the cable is cut.
      `address add ${this.address}/32 dev lo`
    ]
    const outside = [
      `link add ${ours} type veth peer name ${theirs} netns ${this.#holder.pid}`,
      `address add ${this.ownAddress}/30 dev ${ours}`,
      `link set ${ours} up`
    ]

    return (
      outside.every((command) => succeeds('ip', ...command.split(' '))) &&
      inside.every((command) => succeeds(...this.command(['ip', ...command.split(' ')])))
    )
  }

  /** Name of an interface, of at most 15 characters. */
  #end(side: 'a' | 'b'): string {
    return `wb${this.#holder.pid}${side}`
  }
}

function succeeds(...[file = '', ...args]: readonly string[]): boolean {
  return spawnSync(file, args, { stdio: 'ignore' }).status === 0
}

/** Resolves with whether the process runs and echoes its input. */
async function echoes(child: ChildProcess): Promise<boolean> {
  child.stdin?.on('error', () => {})
  child.stdin?.write('?\n')
  const reply = once(child.stdout ?? child, 'data')
  await Promise.race([reply, once(child, 'exit')]).catch(() => {})
  return child.pid !== undefined && child.exitCode === null
}
