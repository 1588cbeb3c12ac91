import { open } from 'node:fs/promises'
import type { DHTOptions } from '@waggle/dht'
import type { Command } from 'commander'
import { CommandError, toError } from '../errors.ts'
import type { CommandIO } from '../io.ts'
import { parseCount } from '../text/count.ts'

/** What every command that joins a network takes. */
export interface NetworkOptions {
  readonly initialPeers?: readonly string[]
  readonly identity?: string
  readonly protocol?: string
  readonly swarmKey?: string
  readonly numReplicas?: string
}

/** The variable that stands in for `--initial-peers`. */
export const INITIAL_PEERS_VARIABLE = 'WAGGLE_INITIAL_PEERS'

/** Bytes of a key's file that are read: several times what it has. */
const MAX_KEY_BYTES = 4096

export function addNetworkOptions(command: Command): Command {
  return command
    .option(
      '-p, --initial-peers <addresses>',
      `peers of the network to join, as in 10.0.0.1:1337 or a multiaddr; several with commas, or the option again (default: $${INITIAL_PEERS_VARIABLE}, else the nodes of this machine)`,
      addresses
    )
    .option('--identity <file>', 'private key of this peer; made if it is missing')
    .option('--swarm-key <file>', 'key of a private network')
    .option('--protocol <name>', "kad-dht's protocol, which names the network")
    .option(
      '--num-replicas <number>',
      'how many peers hold a record; the same in the whole network (default: 5)'
    )
}

/** Addresses of one option, after those of the same option before it. */
export function addresses(text: string, before: readonly string[] = []): string[] {
  return [...before, ...text.split(/[\s,]+/).filter((address) => address !== '')]
}

/** Initial peers that somebody has named; none if it is left to us. */
export function namedPeers({ initialPeers }: NetworkOptions, { env }: CommandIO): string[] {
  return [...(initialPeers ?? addresses(env[INITIAL_PEERS_VARIABLE] ?? ''))]
}

/** The options of `DHT.create` that are the same for servers and clients. */
export async function identityOptions(options: NetworkOptions): Promise<DHTOptions> {
  const { identity, protocol, swarmKey, numReplicas } = options
  return {
    identityPath: identity,
    protocol,
    numReplicas: numReplicas === undefined ? undefined : parseCount(numReplicas, '--num-replicas'),
    swarmKey: swarmKey === undefined ? undefined : await swarmKeyIn(swarmKey)
  }
}

async function swarmKeyIn(path: string): Promise<string> {
  try {
    const file = await open(path)

    try {
      // One that never ends is no key.
      const { buffer, bytesRead } = await file.read(new Uint8Array(MAX_KEY_BYTES))
      return new TextDecoder().decode(buffer.subarray(0, bytesRead))
    } finally {
      await file.close()
    }
  } catch (error) {
    throw new CommandError(`--swarm-key: can't read ${path}: ${toError(error).message}`)
  }
}
