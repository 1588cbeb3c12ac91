import type { Stats } from '@waggle/dht'
import type { Context } from '../context.ts'
import {
  addControlOptions,
  type ControlOptions,
  controlledNode
} from '../control/control-client.ts'
import type { Overview } from '../control/overview.ts'
import { DONE } from '../errors.ts'
import { addLocalPortOption, type LocalPortOptions } from '../network/local-ports.ts'
import { shownBytes, shownCount } from '../text/count.ts'
import type { Json } from '../text/json.ts'
import { shownDuration } from '../text/time.ts'
import { act, define, type Program } from './define.ts'

export function addStats(program: Program): void {
  const command = define(program, {
    usage: 'stats',
    summary: 'Show the records and peers of a node on this machine',
    more: ['The node responds on a socket that only its own user can open.'],
    examples: [
      ['waggle stats', 'the only node on this machine'],
      ['waggle stats --node 4711 --json', 'one of several nodes, for programs']
    ]
  })
  addLocalPortOption(addControlOptions(command))
  act(program, command, stats)
}

async function stats(
  context: Context,
  options: ControlOptions & LocalPortOptions
): Promise<number> {
  const { overview } = await controlledNode(options, context.io)
  const { records: _records, ...rest } = overview
  context.answer({ json: rest as unknown as Json, text: table(rowsOf(overview), context) })
  return DONE
}

type Row = readonly [name: string, text: string]

function rowsOf({ peerId, pid, version, uptimeSeconds, addresses, stats }: Overview): Row[] {
  return [
    ['peer id', peerId],
    ['addresses', addresses.join('\n') || 'none: the node is a client'],
    ['process', `${pid}, version ${version}, for ${shownDuration(uptimeSeconds)}`],
    ['peers', `${stats.peers} connected, ${stats.knownPeers} servers known`],
    [
      'dials',
      `${shownCount(stats.dials)}, ${shownCount(stats.refusedDials)} refused; ${shownCount(stats.disconnectedPeers)} peers disconnected`
    ],
    ['records', `${shownCount(stats.records)}, ${shownBytes(stats.bytes)}`],
    [
      'cache',
      `${shownCount(stats.cachedRecords)}, ${shownBytes(stats.cachedBytes)}; ${shownCount(stats.cacheHits)} hits`
    ],
    ['served', served(stats)],
    ['clock', clock(stats)],
    ['disk', disk(stats)]
  ]
}

function served({ served: { keys, refused, bytes, changes } }: Stats): string {
  const requests = `${shownCount(keys.find)} finds, ${shownCount(keys.store)} stores, ${shownCount(keys.watch)} watches`
  return `${requests}; ${shownCount(changes)} changes told, ${shownBytes(bytes)}, ${shownCount(refused.busy + refused.access)} refused`
}

function clock({ clockSkewMs }: Stats): string {
  return clockSkewMs === undefined
    ? 'no peer has reported its time'
    : `peers are ${Math.abs(Math.round(clockSkewMs))} ms ${clockSkewMs < 0 ? 'behind' : 'ahead'}`
}

function disk({ persistence }: Stats): string {
  return persistence === undefined
    ? 'none: all records are in memory only'
    : `${persistence.state}, ${shownCount(persistence.records)} records, ${shownBytes(persistence.bytes)}, ${persistence.pending} to write`
}

function table(rows: readonly Row[], { paint }: Context): string {
  const width = Math.max(...rows.map(([name]) => name.length))
  const indent = ' '.repeat(width + 2)
  return rows
    .map(
      ([name, text]) =>
        `${paint('faint', name.padEnd(width))}  ${text.replaceAll('\n', `\n${indent}`)}`
    )
    .join('\n')
}
