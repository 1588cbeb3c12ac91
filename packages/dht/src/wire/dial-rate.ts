import type { AbortOptions, PeerId, PeerInfo } from '@libp2p/interface'
import { dialledAddresses } from '#dialled-addresses'
import { BusyError } from '../errors.ts'
import { wait } from '../timing/wait.ts'
import { dialsTo } from './host-names.ts'
import { OPEN_TIMEOUT_MS } from './limits.ts'

/** Milliseconds between two looks at the rate. */
const INTERVAL_MS = 100

/**
 * Share of a request's timeout for which a dial waits. A peer must not be taken for silent while this node's own rate
 * forbids to dial it.
 */
const TIMEOUT_SHARE = 0.5

export interface DialRateInit {
  /** Whether this many dials to a peer are allowed now. Those to unverified peers count towards the rate. */
  readonly mayDial: (peer: PeerId, dials: number) => boolean

  /** Milliseconds allowed for a response. @default OPEN_TIMEOUT_MS */
  readonly requestTimeoutMs?: number | undefined
}

interface Waiting extends AbortOptions {
  /** Whether only bulk waits for the dial now. @default false */
  readonly isBulk?: (() => boolean) | undefined
}

/** A dial exceeds the rate. */
class DialRateError extends BusyError {}

/**
 * The rate of dials to unverified peers (N9h). A dial that exceeds it waits for a while, for bulk behind all others. A
 * request is late meanwhile, so that another peer is asked.
 */
export class DialRate {
  readonly #init: DialRateInit

  /** Dials that wait, and not for bulk. */
  #urgent = 0

  constructor(init: DialRateInit) {
    this.#init = init
  }

  /** Takes a dial's part of the rate. @throws BusyError if it exceeds the rate now */
  take({ id, multiaddrs }: PeerInfo, { isBulk }: { readonly isBulk: boolean }): void {
    const isBehind = isBulk && this.#urgent > 0

    if (isBehind || !this.#init.mayDial(id, dialsTo(dialledAddresses(multiaddrs)))) {
      throw new DialRateError(
        'too many addresses from other peers are being dialled: see limits.maxDialsPerSecond'
      )
    }
  }

  /** Repeats an attempt to dial that exceeds the rate. */
  async retry<T>(
    { isBulk, signal }: Waiting,
    attempt: (isRetry: boolean) => Promise<T>
  ): Promise<T> {
    let endMs: number | undefined

    for (;;) {
      try {
        return await attempt(endMs !== undefined)
      } catch (error) {
        endMs ??= performance.now() + TIMEOUT_SHARE * this.#timeoutMs

        if (!(error instanceof DialRateError) || signal?.aborted || performance.now() > endMs) {
          throw error
        }
      }

      const urgent = isBulk?.() ? 0 : 1
      this.#urgent += urgent
      await wait(INTERVAL_MS, signal)
      this.#urgent -= urgent
    }
  }

  get #timeoutMs(): number {
    return this.#init.requestTimeoutMs ?? OPEN_TIMEOUT_MS
  }
}
