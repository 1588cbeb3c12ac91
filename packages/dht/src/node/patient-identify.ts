import { type Identify, identify } from '@libp2p/identify'
import type { Connection } from '@libp2p/interface'
import { timeoutSignal } from '../timing/deadline.ts'

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
    const service = identify({ timeout, runOnConnectionOpen: false })(components)
    const log = components.logger.forComponent('waggle:identify')

    components.events.addEventListener('connection:open', ({ detail: connection }) => {
      identifyPeer(connection, service, timeoutMs).catch((error) =>
        log('the peer %p does not identify itself - %e', connection.remotePeer, error)
      )
    })

    return service
  }
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
