import { connect } from 'node:net'
import { UsageError } from '../errors.ts'
import type { CommandIO } from '../io.ts'

/** The variable that says where the ports begin: nodes with different ones don't find each other. */
export const LOCAL_PORT_VARIABLE = 'WAGGLE_LOCAL_PORT'

export const DEFAULT_LOCAL_PORT = 1337

/** Some are left when the nodes that came first are gone. */
const LOCAL_PORT_COUNT = 10

export const LOCAL_HOST = '127.0.0.1'

/** Nobody who listens on this machine takes longer. */
const CONNECT_TIMEOUT_MS = 500

/**
 * Where nodes of this machine find each other when nobody says anything: the first that starts
 * takes the first port, and so on.
 *
 * @throws UsageError when the variable holds no port
 */
export function localPorts({ env }: Pick<CommandIO, 'env'>): number[] {
  const first = Number(env[LOCAL_PORT_VARIABLE] ?? DEFAULT_LOCAL_PORT)

  if (!Number.isInteger(first) || first < 1 || first > 65_536 - LOCAL_PORT_COUNT) {
    throw new UsageError(
      `${LOCAL_PORT_VARIABLE} is ${env[LOCAL_PORT_VARIABLE]}, and must be a port: the first of ${LOCAL_PORT_COUNT}`
    )
  }

  return Array.from({ length: LOCAL_PORT_COUNT }, (_, i) => first + i)
}

/** Those of the ports on which somebody listens. A probe costs a millisecond, and a failed dial ten. */
export async function takenPorts(ports: readonly number[]): Promise<number[]> {
  const taken = await Promise.all(ports.map(isTaken))
  return ports.filter((_, i) => taken[i])
}

function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: LOCAL_HOST })
    const end = (isOpen: boolean): void => {
      socket.destroy()
      resolve(isOpen)
    }
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => end(false))
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
  })
}
