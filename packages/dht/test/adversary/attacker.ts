import { connect, type Socket } from 'node:net'
import { identify } from '@libp2p/identify'
import type { Libp2p, Stream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { EXCHANGE_PROTOCOL } from '../../src/exchange/messages.ts'
import { Talker } from '../support/exchange-talker.ts'

/** The report of an attack. */
export interface AttackReport {
  /** Attempts, in the attack's own units. */
  readonly attempts: number

  /** Numbers of answers and ends, by kind. */
  readonly answers: Readonly<Record<string, number>>

  /** Whether the victim is still connected. */
  readonly isConnected: boolean
}

/** A way to attack a peer by requests. It goes on until the attacker is told to stop. */
export interface Attack {
  readonly what: string

  /** Whether it violates the protocol, so that the attacker must be disconnected. */
  readonly isOffence: boolean
  run(attacker: Attacker): Promise<void>
}

/** A peer that sends any messages to another one, until it is told to stop. */
export class Attacker {
  readonly signal: AbortSignal
  readonly #begun = Promise.withResolvers<void>()
  readonly #node: Libp2p
  readonly #victim: readonly Multiaddr[]
  readonly #answers: Record<string, number> = {}
  #attempts = 0

  private constructor(node: Libp2p, victim: readonly Multiaddr[], signal: AbortSignal) {
    this.#node = node
    this.#victim = victim
    this.signal = signal
  }

  static async start(victim: readonly string[], signal: AbortSignal): Promise<Attacker> {
    const node = await createLibp2p({
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      services: { identify: identify(), ping: ping() }
    })
    const addresses = victim.map((address) => multiaddr(address))
    await node.dial(addresses)
    return new Attacker(node, addresses, signal)
  }

  get isDone(): boolean {
    return this.signal.aborted
  }

  /** Resolves at the first attempt. */
  get begun(): Promise<void> {
    return this.#begun.promise
  }

  /** Counts attempts. */
  tried(count = 1): void {
    this.#attempts += count
    this.#begun.resolve()
  }

  /** Counts answers of a kind. */
  heard(what: string, count = 1): void {
    this.#answers[what] = (this.#answers[what] ?? 0) + count
  }

  /** Opens a stream of the exchange; undefined, after a moment, if the victim refuses. */
  async talk(): Promise<Talker | undefined> {
    const stream = await this.open(EXCHANGE_PROTOCOL)
    return stream && new Talker(stream)
  }

  /** Opens a stream of any protocol; undefined, after a moment, if the victim refuses. */
  async open(protocol: string): Promise<Stream | undefined> {
    try {
      const connection = await this.#node.dial([...this.#victim])
      const options = { maxOutboundStreams: 1000, signal: AbortSignal.timeout(2000) }
      return await connection.newStream(protocol, options)
    } catch {
      this.heard('no stream')
      await this.pause(20)
      return undefined
    }
  }

  /** Opens a socket without any negotiation. */
  socket(): Socket {
    const [address] = this.#victim
    const port = address?.getComponents().find(({ name }) => name === 'tcp')?.value
    return connect(Number(port), '127.0.0.1').on('error', () => {})
  }

  /** Waits, or until the attack ends. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.signal.addEventListener('abort', () => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  async report(): Promise<AttackReport> {
    const isConnected = this.#node.getConnections().length > 0
    await this.#node.stop()
    return { attempts: this.#attempts, answers: this.#answers, isConnected }
  }
}
