import type { Libp2p, PeerId, ServiceMap } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { BootstrapError, ClockSkewError } from '@waggle/dht'
import { getDHTTime } from '@waggle/record'
import { ReachabilityError, toError } from '../errors.ts'
import type { Hivemind } from '../service/interface.ts'
import {
  anySignal,
  backoffMs,
  bootstrapHint,
  CLOCK_ADVICE,
  clockReading,
  describeSkew,
  isSkewed,
  timeoutSignal,
  wait
} from '../waggle-parts.ts'
import type { NodeSettings } from './options.ts'

export interface JoinInit
  extends Pick<
    NodeSettings,
    'initialPeers' | 'isStrict' | 'requireBootstrap' | 'bootstrapTimeoutMs' | 'signal'
  > {
  readonly node: Libp2p<ServiceMap>
  readonly hivemind: Hivemind

  /** Aborted when the DHT stops. */
  readonly lifetime: AbortSignal
}

/**
 * Joins through the initial peers: one that answers is enough, and the others are tried for as long as the node
 * runs. A node that has lost all its peers dials them again.
 *
 * @throws BootstrapError, ClockSkewError or ReachabilityError
 */
export async function join(init: JoinInit): Promise<void> {
  const { initialPeers, hivemind, lifetime, node } = init

  if (initialPeers.length === 0) {
    return
  }

  const joining = initialPeers.map((address) => meet(address, init))

  try {
    await Promise.any(joining)
    await hivemind.lookAround()
  } catch (error) {
    init.signal?.throwIfAborted()
    assertMayBeAlone(init, await Promise.allSettled(joining), toError(error))
  }

  for (const [i, address] of initialPeers.entries()) {
    keepMeeting(address, init, joining[i]).catch((error) =>
      node.logger.forComponent('waggle:hivemind').error('stopped joining - %e', error)
    )
  }

  lifetime.throwIfAborted()
}

/** Connects to a peer and asks it to check that it can connect to this node. */
async function meet(address: Multiaddr, init: JoinInit): Promise<PeerId> {
  const { node, hivemind, bootstrapTimeoutMs, isStrict, signal, lifetime } = init
  const within = anySignal(signal, lifetime, timeoutSignal(bootstrapTimeoutMs))
  const { remotePeer } = await node.dial(address, { signal: within })
  const askedAt = getDHTTime()
  const startMs = performance.now()
  const { dhtTime, isAvailable } = await hivemind.introduce(remotePeer)
  const tookMs = performance.now() - startMs
  const problem = problemOf({ askedAt, tookMs, peerTime: dhtTime }, isAvailable, {
    peer: remotePeer,
    clientMode: hivemind.clientMode
  })

  if (problem !== undefined && isStrict) {
    throw problem
  }

  if (problem !== undefined) {
    node.logger.forComponent('waggle:hivemind').error('WARNING: %s', problem.message)
  }

  return remotePeer
}

interface Met {
  readonly peer: PeerId
  readonly clientMode: boolean
}

function problemOf(
  answer: Parameters<typeof clockReading>[0],
  isAvailable: boolean,
  { peer, clientMode }: Met
): Error | undefined {
  const reading = clockReading(answer)

  // A peer that sends no time has no clock to compare.
  if (answer.peerTime !== 0 && isSkewed(reading)) {
    return new ClockSkewError(
      `the clock of the peer ${peer} differs from ours: ${describeSkew(reading)}. ${CLOCK_ADVICE}, or pass strict: false to join all the same.`,
      reading
    )
  }

  return isAvailable || clientMode
    ? undefined
    : new ReachabilityError(
        `the peer ${peer} can't connect to this node: listen on an address that it can reach, pass clientMode: true, or strict: false to join all the same`
      )
}

function assertMayBeAlone(
  { initialPeers, requireBootstrap, node }: JoinInit,
  results: readonly PromiseSettledResult<PeerId>[],
  error: Error
): void {
  const errors = results.map((result) =>
    result.status === 'rejected' ? toError(result.reason) : error
  )
  const strict = errors.find(
    ({ name }) => name === 'ClockSkewError' || name === 'ReachabilityError'
  )

  if (strict !== undefined) {
    throw strict
  }

  const failure = new BootstrapError(
    initialPeers.map((address, i) => {
      const reason = errors[i] ?? error
      return {
        address: address.toString(),
        error: reason,
        check: bootstrapHint({ address, error: reason })
      }
    })
  )

  if (requireBootstrap) {
    throw failure
  }

  node.logger.forComponent('waggle:hivemind').error('WARNING: %s', failure.message)
}

/** Retries initial peers that were never reached, and all of them when the routing table is empty. */
async function keepMeeting(
  address: Multiaddr,
  init: JoinInit,
  joining: Promise<PeerId> | undefined
): Promise<void> {
  const { hivemind, lifetime } = init
  let failures = 0
  let isMet = await succeeds(joining)

  while (!lifetime.aborted) {
    const isLonely = hivemind.stats().knownPeers === 0

    if (isLonely || !isMet) {
      isMet = await succeeds(meet(address, init))

      if (isMet && isLonely) {
        await hivemind.lookAround()
      }
    }

    failures = isMet ? 0 : failures + 1
    await wait(
      isMet ? CHECK_MS : backoffMs(failures, { isLonely, random: Math.random() }),
      lifetime
    )
  }
}

async function succeeds(attempt: Promise<unknown> | undefined): Promise<boolean> {
  try {
    await attempt
    return attempt !== undefined
  } catch {
    return false
  }
}

/** Milliseconds between two checks for an empty routing table. */
const CHECK_MS = 5000
