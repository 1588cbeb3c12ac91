import { type Identify, identify } from '@libp2p/identify'
import type { Connection, IdentifyResult } from '@libp2p/interface'
import { doorOf } from '../door/door.ts'
import { guardedComponents, guardedConnection } from '../door/guarded-components.ts'
import { overriding } from '../door/overriding.ts'
import { timeoutSignal } from '../timing/deadline.ts'
import { identifyGuard } from './identify-guard.ts'

/** Identify attempts per connection. */
const MAX_ATTEMPTS = 3

const DEFAULT_TIMEOUT_MS = 10_000

type Components = Parameters<ReturnType<typeof identify>>[0]

/**
 * Creates libp2p's identify service, with retries. By itself it asks once per connection, and the
 * protocols of a peer that was too busy to answer would never be known. The first attempt may take
 * `timeoutMs`, each further one twice as long.
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
      identifyPeer(connection, service, timeoutMs).catch((error) =>
        log('the peer %p does not identify itself - %e', connection.remotePeer, error)
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

/** Resolves when the peer has identified itself or the connection has closed; rejects when it does not answer. */
async function identifyPeer(
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
