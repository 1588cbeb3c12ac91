import { type Identify, identify } from '@libp2p/identify'
import type { Connection, IdentifyResult } from '@libp2p/interface'
import { RecentMap } from '../collections/recent-map.ts'
import { doorOf } from '../door/door.ts'
import { guardedComponents, guardedConnection } from '../door/guarded-components.ts'
import { overriding } from '../door/overriding.ts'
import { timeoutSignal } from '../timing/deadline.ts'
import { doubled } from '../timing/doubling.ts'
import { identifyGuard } from './identify-guard.ts'

/** Requests to a peer that stays connected without completing identify. */
const MAX_ATTEMPTS = 3

const DEFAULT_TIMEOUT_MS = 10_000

/** Milliseconds for which a peer's identify result is reused after it reconnects. */
const MEMORY_MS = 600_000

/** Peers remembered. */
const MAX_REMEMBERED = 2048

/** Milliseconds after which a peer that reconnected and stayed is queried all the same. */
const DEFAULT_RECHECK_MS = 60_000

type Components = Parameters<ReturnType<typeof identify>>[0]

export interface PatientIdentifyInit {
  /** Milliseconds for the first request; twice as long for each further one. @default 10_000 */
  readonly timeoutMs?: number

  /** @default DEFAULT_RECHECK_MS */
  readonly recheckMs?: number
}

/**
 * Creates libp2p's identify with retries and a cache of recent results. By itself it sends one request for each
 * connection. A peer that was too busy to respond in time would stay connected with its protocols unknown. A peer
 * that reconnects would be queried again, which is a fifth of the cost of a connection.
 */
export function patientIdentify(
  init: PatientIdentifyInit = {}
): (components: Components) => Identify {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, recheckMs = DEFAULT_RECHECK_MS } = init

  return (components) => {
    const timeout = doubled(timeoutMs, MAX_ATTEMPTS - 1)
    const service = guardedIdentify(timeout, components)
    const log = components.logger.forComponent('waggle:identify')
    const known = new RecentMap<string, Identity>({
      maxSize: MAX_REMEMBERED,
      maxAgeMs: MEMORY_MS
    })
    const ask = (connection: Connection): void => {
      identifyPeer(connection, service, timeoutMs).then(
        ({ connection: _, ...identity }) => known.set(identity.peerId.toString(), identity),
        (error) => log('identify failed for the peer %p - %e', connection.remotePeer, error)
      )
    }

    components.events.addEventListener('connection:open', ({ detail: connection }) => {
      const identity = known.get(connection.remotePeer.toString())

      if (identity === undefined) {
        ask(connection)
        return
      }

      // Delayed, because libp2p has not registered the connection yet, and its dialler can still abort it.
      setTimeout(() => {
        if (connection.status === 'open') {
          const detail = { ...identity, connection }
          components.events.safeDispatchEvent('peer:identify', { detail })
        }
      })
      setTimeout(() => connection.status === 'open' && ask(connection), recheckMs).unref?.()
    })

    return service
  }
}

type Identity = Omit<IdentifyResult, 'connection'>

/** Creates libp2p's identify with a limited response size, which reports the connection of each result. */
function guardedIdentify(timeout: number, components: Components): Identify {
  const { events } = components
  const door = doorOf(components)
  const guard = identifyGuard()
  const connections = new WeakMap<Connection, Connection>()
  const service = identify({ timeout, runOnConnectionOpen: false })(
    guardedComponents(components, guard, {
      events: overriding<Components['events']>(events, {
        safeDispatchEvent: (_, { detail }: { readonly detail: IdentifyResult }) =>
          events.safeDispatchEvent('peer:identify', {
            detail: identifiedOn(detail, connections)
          })
      })
    })
  )

  return overriding<Identify>(service, {
    identify: (connection, options) => {
      const guarded = guardedConnection(connection, door, guard)
      connections.set(guarded, connection)
      return service.identify(guarded, options)
    }
  })
}

/** The result, with its connection. */
function identifiedOn(
  result: IdentifyResult,
  connections: WeakMap<Connection, Connection>
): IdentifyResult {
  return { ...result, connection: connections.get(result.connection) ?? result.connection }
}

/** Resolves when identify completes. Rejects when it fails, or the connection is closed. */
async function identifyPeer(
  connection: Connection,
  service: Identify,
  timeoutMs: number
): Promise<IdentifyResult> {
  for (let failures = 0; ; failures++) {
    try {
      const signal = timeoutSignal(doubled(timeoutMs, failures))
      return await service.identify(connection, { signal })
    } catch (error) {
      if (failures === MAX_ATTEMPTS - 1 || isPermanent(error) || connection.status !== 'open') {
        throw error
      }
    }
  }
}

function isPermanent(error: unknown): boolean {
  return error instanceof Error && error.name === 'UnsupportedProtocolError'
}
