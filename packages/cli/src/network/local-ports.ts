import { connect } from 'node:net'
import type { Command } from 'commander'
import type { CommandIO } from '../io.ts'
import { parsePort } from '../text/count.ts'

/** The option of commands that discover nodes of this machine. */
export interface LocalPortOptions {
  readonly localPort?: string
}

/** The environment variable that replaces `--local-port`. */
export const LOCAL_PORT_VARIABLE = 'WAGGLE_LOCAL_PORT'

export const DEFAULT_LOCAL_PORT = 1337

/** Ports on which nodes of this machine listen. */
const LOCAL_PORT_COUNT = 10

export const LOCAL_HOST = '127.0.0.1'

/** Milliseconds allowed for a connection on this machine: a program that starts on a busy machine responds late. */
const CONNECT_TIMEOUT_MS = 3_000

export function addLocalPortOption(command: Command): Command {
  return command.option(
    '--local-port <port>',
    `first of the ${LOCAL_PORT_COUNT} ports where the nodes of this machine find each other; nodes with another first port are ignored (default: $${LOCAL_PORT_VARIABLE}, else ${DEFAULT_LOCAL_PORT})`
  )
}

/**
 * Returns the first port on which nodes of this machine find each other. Nodes with different first ports do not
 * find each other.
 *
 * @throws UsageError when the option or the variable is not such a port
 */
export function localPort(
  { localPort }: LocalPortOptions,
  { env }: Pick<CommandIO, 'env'>
): number {
  const [given, source] =
    localPort === undefined
      ? [env[LOCAL_PORT_VARIABLE] ?? String(DEFAULT_LOCAL_PORT), LOCAL_PORT_VARIABLE]
      : [localPort, '--local-port']
  return parsePort(given, source, { from: 1, upTo: 65_536 - LOCAL_PORT_COUNT })
}

/** Lists the ports for nodes of this machine: the first node to start takes the first, and so on. */
export function localPorts(options: LocalPortOptions, io: Pick<CommandIO, 'env'>): number[] {
  const first = localPort(options, io)
  return Array.from({ length: LOCAL_PORT_COUNT }, (_, i) => first + i)
}

/** Finds the ports that are in use. A probe takes one millisecond, a failed dial ten. */
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
