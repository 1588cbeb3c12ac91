import { connect } from 'node:net'
import { UsageError } from '../errors.ts'
import type { CommandIO } from '../io.ts'

/** The variable that sets the first port. Nodes with different first ports don't find each other. */
export const LOCAL_PORT_VARIABLE = 'WAGGLE_LOCAL_PORT'

export const DEFAULT_LOCAL_PORT = 1337

/** Ports that nodes of this machine try. */
const LOCAL_PORT_COUNT = 10

export const LOCAL_HOST = '127.0.0.1'

/** Longest time for a connection on this machine, in ms. */
const CONNECT_TIMEOUT_MS = 500

/**
 * Lists the ports where nodes of this machine find each other by default. The first node to start
 * takes the first port, and so on.
 *
 * @throws UsageError when the variable does not hold a port
 */
export function localPorts({ env }: Pick<CommandIO, 'env'>): number[] {
  const first = Number(env[LOCAL_PORT_VARIABLE] ?? DEFAULT_LOCAL_PORT)

  if (!Number.isInteger(first) || first < 1 || first > 65_536 - LOCAL_PORT_COUNT) {
    throw new UsageError(
      `${LOCAL_PORT_VARIABLE} must be a port, the first of ${LOCAL_PORT_COUNT}, not ${env[LOCAL_PORT_VARIABLE]}`
    )
  }

  return Array.from({ length: LOCAL_PORT_COUNT }, (_, i) => first + i)
}

/** Finds the ports that are in use. A probe takes a millisecond, a failed dial takes ten. */
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
