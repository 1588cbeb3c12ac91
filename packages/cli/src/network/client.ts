import type { DHT } from '@waggle/dht'
import { CommandError } from '../errors.ts'
import type { CommandIO } from '../io.ts'
import { parseDuration } from '../text/time.ts'
import { LOCAL_HOST, localPorts, takenPorts } from './local-ports.ts'
import { identityOptions, type NetworkOptions, namedPeers } from './network-options.ts'

/** Joins the network as a client for the duration of one command. */
export async function withClient<T>(
  options: NetworkOptions & { readonly timeout?: string },
  io: CommandIO,
  use: (dht: DHT) => Promise<T>
): Promise<T> {
  await using dht = await joinedClient(options, io)
  return await use(dht)
}

/**
 * Starts a client that has joined; the caller disposes of it. Imports the library lazily, so that commands without
 * a network start faster.
 */
export async function joinedClient(
  options: NetworkOptions & { readonly timeout?: string },
  io: CommandIO
): Promise<DHT> {
  // Peers are sought while the library loads.
  const [initialPeers, { DEFAULTS, DHT }] = await Promise.all([
    initialPeersFor(options, io),
    import('@waggle/dht')
  ])
  const { timeout } = options
  const timeoutMs = timeout === undefined ? undefined : parseDuration(timeout, '--timeout') * 1000
  return DHT.create({
    ...(await identityOptions(options)),
    bootstrapTimeoutMs: Math.min(
      timeoutMs ?? Number.POSITIVE_INFINITY,
      DEFAULTS.bootstrapTimeoutMs
    ),
    clientMode: true,
    // The process ends before it would read a cached value again.
    cache: false,
    initialPeers,
    signal: io.signal
  })
}

/** @throws CommandError when no initial peer is given and no node runs on this machine */
export async function initialPeersFor(options: NetworkOptions, io: CommandIO): Promise<string[]> {
  const named = namedPeers(options, io)

  if (named.length > 0) {
    return named
  }

  const ports = localPorts(options, io)
  const taken = await takenPorts(ports)

  if (taken.length === 0) {
    throw new CommandError(
      `no node runs on this machine on the ports ${ports.at(0)} to ${ports.at(-1)}. Start one with: waggle serve. Or join a node elsewhere: --initial-peers 10.0.0.1:1337`
    )
  }

  return taken.map((port) => `${LOCAL_HOST}:${port}`)
}
