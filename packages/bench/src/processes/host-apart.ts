import { type ChildProcess, spawn, spawnSync } from 'node:child_process'

/** Of the addresses that are set apart for benchmarks (RFC 2544). */
const NETWORK = '198.18'

export interface HostApartOptions {
  readonly signal: AbortSignal
}

/**
 * Another host, as far as the network is concerned: a network namespace, and a cable to it that can
 * be pulled. It goes with the processes in it, and these with us, so nothing is left behind. Takes
 * Linux, and root.
 */
export class HostApart {
  /** Where processes on this host are reached from the other. */
  readonly ownAddress: string

  /** Where processes on the other host are reached. */
  readonly address: string
  readonly #holder: ChildProcess

  private constructor(holder: ChildProcess, subnet: string) {
    this.#holder = holder
    this.ownAddress = `${subnet}.1`
    this.address = `${subnet}.2`
  }

  /** Undefined where this machine or user can't do it. */
  static async start({ signal }: HostApartOptions): Promise<HostApart | undefined> {
    // It keeps the namespace until its input, which is ours, ends.
    const holder = spawn('unshare', ['--net', 'cat'], { stdio: ['pipe', 'pipe', 'ignore'], signal })
    const isRunning = await answersTo(holder)

    if (!isRunning) {
      return undefined
    }

    const subnet = `${NETWORK}.${(holder.pid ?? 0) % 256}`
    const host = new HostApart(holder, subnet)

    if (host.#connect()) {
      return host
    }

    host.stop()
    return undefined
  }

  /** How a command is run on the other host. */
  command(command: readonly string[]): string[] {
    return [...this.#inside, ...command]
  }

  /** Pulls the cable: from now on packets to the host are lost, and nobody says so. */
  pull(): void {
    if (!run(...this.#inside, 'ip', 'link', 'set', this.#end('b'), 'down')) {
      throw new Error('the cable can not be pulled')
    }
  }

  /** Puts the cable back in. */
  plug(): void {
    if (!run(...this.#inside, 'ip', 'link', 'set', this.#end('b'), 'up')) {
      throw new Error('the cable can not be put back in')
    }
  }

  /** The cable would go with the namespace, but that may take a minute. */
  stop(): void {
    run('ip', 'link', 'delete', this.#end('a'))
    this.#holder.kill('SIGKILL')
  }

  #connect(): boolean {
    const [ours, theirs] = [this.#end('a'), this.#end('b')]
    const pid = String(this.#holder.pid)
    const steps = [
      ['ip', 'link', 'add', ours, 'type', 'veth', 'peer', 'name', theirs, 'netns', pid],
      ['ip', 'address', 'add', `${this.ownAddress}/30`, 'dev', ours],
      ['ip', 'link', 'set', ours, 'up'],
      [...this.#inside, 'ip', 'address', 'add', `${this.address}/30`, 'dev', theirs],
      [...this.#inside, 'ip', 'link', 'set', theirs, 'up'],
      [...this.#inside, 'ip', 'link', 'set', 'lo', 'up'],
      // Processes there go on reaching each other when the cable is pulled.
      [...this.#inside, 'ip', 'address', 'add', `${this.address}/32`, 'dev', 'lo']
    ]

    return steps.every((step) => run(...step))
  }

  get #inside(): string[] {
    return ['nsenter', `--net=/proc/${this.#holder.pid}/ns/net`]
  }

  /** An interface's name has at most 15 characters. */
  #end(side: 'a' | 'b'): string {
    return `wb${this.#holder.pid}${side}`
  }
}

function run(...[file = '', ...args]: readonly string[]): boolean {
  return spawnSync(file, args, { stdio: 'ignore' }).status === 0
}

/** Whether the program that sends back its input does. */
async function answersTo(child: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => {
    child.once('error', () => resolve(false))
    child.once('exit', () => resolve(false))
    child.stdin?.on('error', () => resolve(false))
    child.stdout?.once('data', () => resolve(true))
    child.stdin?.write('?\n')
  })
}
