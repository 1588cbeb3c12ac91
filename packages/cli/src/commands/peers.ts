import { randomUUID } from 'node:crypto'
import type { PeerId } from '@libp2p/interface'
import type { Context } from '../context.ts'
import { DONE } from '../errors.ts'
import { type CommonClient, withCommonClient } from '../network/hivemind-client.ts'
import {
  addHivemindOption,
  addNetworkOptions,
  type HivemindOptions,
  type NetworkOptions
} from '../network/network-options.ts'
import { parseCount } from '../text/count.ts'
import { parseKey } from '../text/value-text.ts'
import { act, define, type Program } from './define.ts'
import { addTimeoutOption, type TimeoutOptions, timeoutMsOf } from './places.ts'

type PeersOptions = NetworkOptions &
  HivemindOptions &
  TimeoutOptions & { readonly count: string; readonly near?: string }

interface Peer {
  readonly id: string
  readonly addresses: readonly string[]
}

/**
 * Consecutive searches without a new peer after which all peers count as found. A search finds the peers nearest to
 * one point.
 */
const SEARCHES_WITHOUT_NEWS = 3
const SEARCH_COUNT = 20

export function addPeers(program: Program): void {
  const command = define(program, {
    usage: 'peers',
    summary: 'List peers of the network that respond',
    examples: [
      ['waggle peers', 'peers of the network on this machine'],
      ['waggle peers --initial-peers 10.0.0.1:1337', 'peers of another network'],
      ['waggle peers --near greeting --count 5', 'peers that hold a key, nearest first']
    ]
  })
  command
    .option('-n, --count <number>', 'list at most this many', '20')
    .option('--near <key>', 'list the peers nearest to this key')
  addTimeoutOption(addHivemindOption(addNetworkOptions(command)))
  act(program, command, peers)
}

async function peers(context: Context, options: PeersOptions): Promise<number> {
  const count = parseCount(options.count, '--count')
  const call = { timeoutMs: timeoutMsOf(options), signal: context.io.signal }
  const near = options.near === undefined ? undefined : parseKey(options.near)

  return withCommonClient(options, context.io, async (dht) => {
    const found =
      near === undefined
        ? await searched(dht, count, call)
        : await dht.findNearestPeers(near, { count, ...call })
    const all = await Promise.all(found.map((peer) => described(dht, peer)))

    context.answer({
      json: { peers: all.map(({ id, addresses }) => ({ id, addresses })) },
      text: all
        .map(({ id, addresses }) => [context.paint('name', id), ...addresses].join('  '))
        .join('\n')
    })
    context.note(all.length === 1 ? '1 peer' : `${all.length} peers`)
    return DONE
  })
}

/** Searches for points all over the ring of keys, until no new peers appear. */
async function searched(
  dht: CommonClient,
  count: number,
  call: { timeoutMs: number; signal: AbortSignal }
): Promise<PeerId[]> {
  const found = new Map<string, PeerId>()

  for (let withoutNews = 0; found.size < count && withoutNews < SEARCHES_WITHOUT_NEWS; ) {
    const before = found.size

    for (const peer of await dht.findNearestPeers(randomUUID(), { count: SEARCH_COUNT, ...call })) {
      found.set(peer.toString(), peer)
    }

    withoutNews = found.size > before ? 0 : withoutNews + 1
  }

  return [...found.values()].slice(0, count)
}

async function described({ libp2p }: CommonClient, id: PeerId): Promise<Peer> {
  const addresses = libp2p.getConnections(id).map(({ remoteAddr }) => remoteAddr.toString())
  return { id: id.toString(), addresses: [...new Set(addresses)].map(withoutId) }
}

function withoutId(address: string): string {
  return address.replace(/\/p2p\/[^/]+$/, '')
}
