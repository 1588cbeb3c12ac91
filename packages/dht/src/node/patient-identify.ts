import { type Identify, identify } from '@libp2p/identify'
import type { Connection, IdentifyResult } from '@libp2p/interface'
import { doorOf } from '../door/door.ts'
import { guardedComponents, guardedConnection } from '../door/guarded-components.ts'
import { overriding } from '../door/overriding.ts'
import { timeoutSignal } from '../timing/deadline.ts'
import { identifyGuard } from './identify-guard.ts'

/** How often at most a peer that stays connected is asked who it is. */
const MAX_ATTEMPTS = 3

const DEFAULT_TIMEOUT_MS = 10_000

type Components = Parameters<ReturnType<typeof identify>>[0]

/**
 * libp2p's identify, which asks again. Left to itself it asks once for each connection, and a peer that
 * was too busy to answer in time would stay connected without anybody knowing what it serves. The
 * first time it has `timeoutMs`, then twice as long each time.
 */
export function patientIdentify({
  timeoutMs = DEFAULT_TIMEOUT_MS
}: {
  timeoutMs?: number
} = {}): (components: Components) => Identify {
  return (components) => {
    const timeout = timeoutOf(MAX_ATTEMPTS, timeoutMs)
    const service = guardedIdentify(timeout, components)
    const log = components.logger.forComponent('waggle:identify')

    components.events.addEventListener('connection:open', ({ detail: connection }) => {
      identified(connection, service, timeoutMs).catch((error) =>
        log('the peer %p does not say who it is - %e', connection.remotePeer, error)
      )
    })

    return service
  }
}

/** libp2p's identify, which reads no more of an answer than it may, and says of which connection it was. */
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

/** The result, with the connection that others know. */
function identifiedOn(
  result: IdentifyResult,
  connections: WeakMap<Connection, Connection>
): IdentifyResult {
  return { ...result, connection: connections.get(result.connection) ?? result.connection }
}

/** Resolves when the peer has said who it is, or its connection is no more; rejects when it does not say so. */
async function identified(
  connection: Connection,
  service: Identify,
  timeoutMs: number
): Promise<void> {
  for (let attempt = 1; connection.status === 'open'; attempt++) {
    try {
      await service.identify(connection, { signal: timeoutSignal(timeoutOf(attempt, timeoutMs)) })
      return
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || isForGood(error)) {
        throw error
      }
    }
  }
}

function timeoutOf(attempt: number, firstTimeoutMs: number): number {
  return firstTimeoutMs * 2 ** (attempt - 1)
}

function isForGood(error: unknown): boolean {
  return error instanceof Error && error.name === 'UnsupportedProtocolError'
}
