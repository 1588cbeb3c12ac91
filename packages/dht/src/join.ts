import type { Connection, Libp2p } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { anySignal, timeoutSignal } from './deadline.ts'
import { type BootstrapAttempt, BootstrapError, toError } from './errors.ts'
import type { Waggle } from './service.ts'

/** How long to wait before an initial peer that failed is tried again; doubles each time. */
const FIRST_RETRY_MS = 1000
const MAX_RETRY_MS = 60_000

export interface JoinInit {
  readonly node: Libp2p
  readonly waggle: Waggle
  readonly initialPeers: readonly Multiaddr[]
  readonly requireBootstrap: boolean
  readonly bootstrapTimeoutMs: number

  /** Ends the attempt to join. */
  readonly signal: AbortSignal | undefined

  /** Ends trying again in the background. */
  readonly lifetime: AbortSignal
}

/**
 * Connects to all initial peers at once and resolves when the first one can be asked
 * (N8). Those that fail are tried again in the background for as long as the node lives.
 *
 * @throws BootstrapError when none answers and one is required
 */
export async function join(init: JoinInit): Promise<void> {
  const { initialPeers, requireBootstrap, signal, lifetime } = init
  signal?.throwIfAborted()

  if (initialPeers.length === 0) {
    return
  }

  const within = anySignal(signal, lifetime)
  const attempts = initialPeers.map((address) => attempt(address, init, within))

  try {
    await Promise.any(attempts)
  } catch (error) {
    within.throwIfAborted()

    if (requireBootstrap) {
      throw bootstrapError(initialPeers, error)
    }
  }

  for (const [index, address] of initialPeers.entries()) {
    attempts[index]?.catch(() => tryAgain(address, init))
  }
}

/** Dials one initial peer and waits until it can be asked, for at most the bootstrap timeout. */
async function attempt(address: Multiaddr, init: JoinInit, signal: AbortSignal): Promise<void> {
  const { node, waggle, bootstrapTimeoutMs } = init
  const timeout = timeoutSignal(bootstrapTimeoutMs)
  const within = anySignal(signal, timeout)
  const strangers = watchForStrangers(node, waggle.protocol)

  try {
    const connection = await node.dial(address, { signal: within })
    await Promise.race([waggle.whenRouted(within), strangers.turnedOutToBe(connection)])
  } catch (error) {
    throw timeout.aborted
      ? new Error(`no answer within ${bootstrapTimeoutMs} ms`, { cause: error })
      : error
  } finally {
    strangers.stop()
  }
}

/**
 * A peer that does not serve our network never gets into the routing table. What protocols a peer
 * has is known once it has identified itself, which is at once: no need to wait for the timeout.
 */
function watchForStrangers(
  node: Libp2p,
  protocol: string
): { turnedOutToBe(connection: Connection): Promise<never>; stop(): void } {
  const { promise, reject } = Promise.withResolvers<never>()
  promise.catch(() => {})
  let awaited: Connection | undefined
  const strangers = new Set<string>()

  function settle(): void {
    if (awaited !== undefined && strangers.has(awaited.id)) {
      reject(new Error(`the peer ${awaited.remotePeer} is there but does not serve ${protocol}`))
    }
  }

  function onIdentified({
    detail
  }: CustomEvent<{ connection: Connection; protocols: string[] }>): void {
    if (!detail.protocols.includes(protocol)) {
      strangers.add(detail.connection.id)
      settle()
    }
  }

  node.addEventListener('peer:identify', onIdentified)

  return {
    turnedOutToBe(connection) {
      awaited = connection
      settle()
      return promise
    },
    stop() {
      node.removeEventListener('peer:identify', onIdentified)
    }
  }
}

async function tryAgain(address: Multiaddr, init: JoinInit): Promise<void> {
  for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(2 * waitMs, MAX_RETRY_MS)) {
    await waited(waitMs, init.lifetime)

    if (init.lifetime.aborted) {
      return
    }

    try {
      await attempt(address, init, init.lifetime)
      return
    } catch {
      // Tried again after a longer wait.
    }
  }
}

/** Resolves after some time, or when the signal is aborted. Keeps no process from ending. */
async function waited(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  timer.unref?.()
  const onAbort = (): void => resolve()
  signal.addEventListener('abort', onAbort)
  await promise
  clearTimeout(timer)
  signal.removeEventListener('abort', onAbort)
}

function bootstrapError(initialPeers: readonly Multiaddr[], error: unknown): BootstrapError {
  const errors: unknown[] = error instanceof AggregateError ? error.errors : []
  const attempts: BootstrapAttempt[] = initialPeers.map((address, index) => ({
    address: address.toString(),
    error: toError(errors[index])
  }))

  return new BootstrapError(attempts)
}
