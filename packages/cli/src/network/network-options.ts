import { open } from 'node:fs/promises'
import type { DHTOptions } from '@waggle/dht'
import type { Command } from 'commander'
import { CommandError, toError } from '../errors.ts'
import type { CommandIO } from '../io.ts'
import { parseCount } from '../text/count.ts'
import { addLocalPortOption, type LocalPortOptions } from './local-ports.ts'

/** The options of every command that joins a network. */
export interface NetworkOptions extends LocalPortOptions {
  readonly initialPeers?: readonly string[]
  readonly identity?: string
  readonly protocol?: string
  readonly swarmKey?: string
  readonly numReplicas?: string
}

/** The option of commands that also work in networks of Python Hivemind. */
export interface HivemindOptions {
  readonly hivemind?: boolean
}

/** The environment variable that replaces `--initial-peers`. */
export const INITIAL_PEERS_VARIABLE = 'WAGGLE_INITIAL_PEERS'

/** Bytes read of a key file: several times the size of a key. */
const MAX_KEY_BYTES = 4096

export function addNetworkOptions(command: Command): Command {
  command
    .option(
      '-p, --initial-peers <addresses>',
      `peers to join through, as 10.0.0.1:1337 or multiaddrs; separate several by commas or repeat the option (default: $${INITIAL_PEERS_VARIABLE}, else the nodes of this machine)`,
      addresses
    )
    .option('--identity <file>', 'file with the private key of this peer; created if it is missing')
    .option('--swarm-key <file>', 'file with the key of a private network')
    .option('--protocol <name>', "kad-dht's protocol name, which tells networks apart")
    .option(
      '--num-replicas <number>',
      'peers that hold each record; the same in the whole network (default: 5)'
    )
  return addLocalPortOption(command)
}

/** Adds the option `--hivemind`. */
export function addHivemindOption(command: Command): Command {
  return command.option(
    '--hivemind',
    'join a network of Python Hivemind through --initial-peers; an array as a key is a tuple there'
  )
}

/** Adds the addresses of an option to those of its earlier uses. */
export function addresses(text: string, before: readonly string[] = []): string[] {
  return [...before, ...text.split(/[\s,]+/).filter((address) => address !== '')]
}

/** Lists the initial peers from the option or the variable. */
export function namedPeers({ initialPeers }: NetworkOptions, { env }: CommandIO): string[] {
  return [...(initialPeers ?? addresses(env[INITIAL_PEERS_VARIABLE] ?? ''))]
}

/** Builds the options of `DHT.create` that servers and clients share. */
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
      // Reads a bounded part, because a special file may never end.
      const { buffer, bytesRead } = await file.read(new Uint8Array(MAX_KEY_BYTES))
      return new TextDecoder().decode(buffer.subarray(0, bytesRead))
    } finally {
      await file.close()
    }
  } catch (error) {
    throw new CommandError(`--swarm-key: can't read ${path}: ${toError(error).message}`)
  }
}
