import { type Identify, type IdentifyInit, identify } from '@libp2p/identify'
import type { Connection } from '@libp2p/interface'

/** How often a peer that stays connected is asked who it is. */
const MAX_ATTEMPTS = 4

type Components = Parameters<ReturnType<typeof identify>>[0]

/**
 * libp2p's identify, which asks again. Left to itself it asks once for each connection, and a peer that
 * was too busy to answer in time would stay connected without anybody knowing what it serves.
 */
export function patientIdentify(init: IdentifyInit = {}): (components: Components) => Identify {
  return (components) => {
    const service = identify({ ...init, runOnConnectionOpen: false })(components)
    const log = components.logger.forComponent('waggle:identify')

    components.events.addEventListener('connection:open', ({ detail: connection }) => {
      identified(connection, service).catch((error) =>
        log('the peer %p does not say who it is - %e', connection.remotePeer, error)
      )
    })

    return service
  }
}

/** Resolves when the peer has said who it is, or its connection is no more. */
async function identified(connection: Connection, service: Identify): Promise<void> {
  for (let attempt = 1; connection.status === 'open'; attempt++) {
    try {
      await service.identify(connection)
      return
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || isForGood(error)) {
        throw error
      }
    }
  }
}

function isForGood(error: unknown): boolean {
  return error instanceof Error && error.name === 'UnsupportedProtocolError'
}
