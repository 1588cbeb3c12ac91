import type { Multiaddr } from '@multiformats/multiaddr'
import { BootstrapError, ClockSkewError, toError } from '../errors.ts'
import { idAtEnd } from '../peers/connect.ts'
import { NO_MEMORY, type PeerMemory } from '../persistence/peer-memory.ts'
import { anySignal } from '../timing/deadline.ts'
import { type AttemptInit, attempt, strictAttempt } from './attempt.ts'
import { bootstrapHint } from './bootstrap-hints.ts'
import { errorOf } from './dial-any.ts'
import { type Candidate, Reconnector } from './reconnect.ts'
import { RememberedPeers } from './remembered-peers.ts'

export interface JoinInit extends AttemptInit {
  readonly initialPeers: readonly Multiaddr[]
  readonly requireBootstrap: boolean

  /** Whether a peer counts as reached only if its clock agrees with ours. */
  readonly strictClock: boolean

  /** Remembers peers of earlier runs, which are dialled beside the initial ones. */
  readonly memory?: PeerMemory | undefined

  /** Aborts the attempt to join. */
  readonly signal: AbortSignal | undefined

  /** Ends retries in the background. */
  readonly lifetime: AbortSignal
}

/** The result of joining a network. */
export interface JoinResult {
  /** The error of all initial peers if none responded at first and none was required. */
  readonly failure: BootstrapError | undefined

  /** Resolves when the remembered peers have been saved. */
  flush(): Promise<void>
}

/**
 * Connects to all initial and remembered peers at once, and resolves when the first one is ready for requests
 * (N8f). From then on, for as long as the node lives, failed and lost ones are retried in the background.
 *
 * @throws BootstrapError when none responds and one is required
 * @throws ClockSkewError when one responds, but its clock differs and `strictClock` is set
 */
export async function join(init: JoinInit): Promise<JoinResult> {
  const { initialPeers, memory, node, signal, lifetime } = init
  signal?.throwIfAborted()
  const log = node.logger.forComponent('waggle:join')
  const remembered = new RememberedPeers(memory ?? NO_MEMORY)
  await remembered.load().catch((error) => log.error('can not recall any peers - %e', error))

  const initial = initialCandidates(initialPeers)
  const known = remembered.all.map(([peer, addresses]) => rememberedPeer(peer, addresses))
  const reconnector = new Reconnector({ ...init, initial, remembered, log })
  reconnector.follow()
  const candidates = [...initial, ...known]
  const failure = await joinThroughAny(candidates, reconnector, init, anySignal(signal, lifetime))

  return { failure, flush: () => remembered.flush() }
}

async function joinThroughAny(
  candidates: readonly Candidate[],
  reconnector: Reconnector,
  init: JoinInit,
  signal: AbortSignal
): Promise<BootstrapError | undefined> {
  const reach = init.strictClock ? strictAttempt : attempt
  const attempts = candidates.map(async (candidate) => {
    const isPatient = init.requireBootstrap && candidate.isInitial
    const peer = await reach(candidate, init, { signal, isPatient })
    reconnector.recordReached(candidate, peer)
  })

  let failure: BootstrapError | undefined

  try {
    await (attempts.length > 0 && Promise.any(attempts))
  } catch (error) {
    signal.throwIfAborted()
    failure = failureOf(candidates, error, init)
  }

  for (const [index, candidate] of candidates.entries()) {
    attempts[index]?.catch((error) => isOneself(error) || reconnector.retry(candidate))
  }

  return failure
}

/** Decides whether the failure of all attempts is final. */
function failureOf(
  candidates: readonly Candidate[],
  error: unknown,
  { requireBootstrap }: JoinInit
): BootstrapError | undefined {
  const errors: unknown[] = error instanceof AggregateError ? error.errors : []
  const skew = errors.find((one) => one instanceof ClockSkewError)

  if (skew !== undefined) {
    throw skew
  }

  if (!candidates.some(({ isInitial }) => isInitial)) {
    return undefined
  }

  const failure = bootstrapError(candidates, errors)

  if (requireBootstrap) {
    throw failure
  }

  return failure
}

/** Groups the addresses by the peer id at their end. One without an id may lead to any peer. */
function initialCandidates(addresses: readonly Multiaddr[]): Candidate[] {
  const groups = Map.groupBy(addresses, (address) => idAtEnd(address) ?? address.toString())
  return [...groups.values()].map((group) => ({
    name: group.join(', '),
    addresses: group,
    isInitial: true,
    peer: group[0] && idAtEnd(group[0])
  }))
}

function rememberedPeer(peer: string, addresses: readonly Multiaddr[]): Candidate {
  return { name: peer, addresses, isInitial: false, peer }
}

/** Whether an initial peer is this node itself, which is not an error. */
function isOneself(error: unknown): boolean {
  return /dial self/i.test(toError(error).message)
}

function bootstrapError(
  candidates: readonly Candidate[],
  errors: readonly unknown[]
): BootstrapError {
  const attempts = candidates.flatMap(({ addresses, isInitial }, index) =>
    isInitial
      ? addresses.map((address, i) => {
          const error = errorOf(errors[index], i)
          return { address: address.toString(), error, check: bootstrapHint({ address, error }) }
        })
      : []
  )

  return new BootstrapError(attempts)
}
