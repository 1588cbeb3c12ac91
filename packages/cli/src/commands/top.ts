import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Context } from '../context.ts'
import {
  addControlOptions,
  type ControlOptions,
  controlledNode,
  overviewAt
} from '../control/control-client.ts'
import { CommandError, DONE } from '../errors.ts'
import { hivemindClient } from '../network/hivemind-client.ts'
import {
  addHivemindOption,
  addNetworkOptions,
  type HivemindOptions,
  type NetworkOptions
} from '../network/network-options.ts'
import { act, define, type Program } from './define.ts'

export function addTop(program: Program): void {
  const command = define(program, {
    usage: 'top',
    summary: 'Watch a node on this machine live',
    more: [
      'Shows its peers on the ring of keys, the records that expire next, and rates. Press q to quit.'
    ],
    examples: [
      ['waggle top', 'the only node on this machine'],
      ['waggle top --node 4711', 'one of several nodes'],
      ['waggle top --json', 'a line every second, for programs'],
      ['waggle top --hivemind -p ADDRESS', 'the nodes of a Hivemind network, as a client sees them']
    ]
  })
  addHivemindOption(addNetworkOptions(addControlOptions(command)))
  act(program, command, top)
}

const REFRESH_MS = 1000

/** Nodes requested by each search for a random key, which detects dead ones. */
const SEARCH_COUNT = 20

type TopOptions = ControlOptions & NetworkOptions & HivemindOptions

async function top(context: Context, options: TopOptions): Promise<number> {
  const { io } = context

  if (options.hivemind === true) {
    return topHivemind(context, options)
  }

  const { path } = await controlledNode(options, io)

  if (!context.isJson) {
    if (io.stdout.isTTY !== true || io.stdin.isTTY !== true) {
      throw new CommandError('top needs a terminal. Programs can use --json or waggle stats')
    }

    const { showTop } = await import('../screens/top.tsx')
    await showTop(io, path)
    return DONE
  }

  while (!io.signal.aborted) {
    context.answer({ json: JSON.parse(JSON.stringify(await overviewAt(path, 20))) })
    await sleep(REFRESH_MS, undefined, { signal: io.signal }).catch(() => {})
  }

  return DONE
}

/** Lists the nodes of a Hivemind network that a client knows, repeatedly. */
async function topHivemind(context: Context, options: TopOptions): Promise<number> {
  const { io } = context
  await using dht = await hivemindClient(options, io)

  while (!io.signal.aborted) {
    const connected = new Set(dht.peers.map(String))
    const nodes = dht.knownPeers.map((peer) => ({
      id: peer.toString(),
      isConnected: connected.has(peer.toString())
    }))
    const lines = nodes.map(
      ({ id, isConnected }) =>
        `${context.paint('name', id)}  ${isConnected ? 'connected' : 'known'}`
    )
    context.answer({
      json: { nodes },
      text: [`${nodes.length} nodes, ${connected.size} connected`, ...lines].join('\n')
    })
    await dht
      .findNearestPeers(randomUUID(), { count: SEARCH_COUNT, signal: io.signal })
      .catch(() => [])
    await sleep(REFRESH_MS, undefined, { signal: io.signal }).catch(() => {})
  }

  return DONE
}
