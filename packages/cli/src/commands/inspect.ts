import type { InspectedPeer, Inspection } from '@waggle/dht/handles'
import { getDHTTime } from '@waggle/record'
import type { Context } from '../context.ts'
import { DONE } from '../errors.ts'
import { withClient } from '../network/client.ts'
import { addNetworkOptions, type NetworkOptions } from '../network/network-options.ts'
import { counted, shownBytes } from '../text/count.ts'
import { foundText } from '../text/found.ts'
import { inspectionJson } from '../text/inspection-json.ts'
import type { Tone } from '../text/paint.ts'
import { shownDuration } from '../text/time.ts'
import { parseKey } from '../text/value-text.ts'
import { act, define, type Program } from './define.ts'
import { addTimeoutOption, type TimeoutOptions, timeoutMsOf } from './places.ts'

type InspectOptions = NetworkOptions & TimeoutOptions

const TONES: Readonly<Record<InspectedPeer['state'], Tone>> = {
  current: 'good',
  behind: 'bad',
  empty: 'faint',
  failed: 'bad'
}

/** The table's columns. */
const HEADINGS = [
  'peer',
  'bits',
  'role',
  'state',
  'entries',
  'bytes',
  'expires in',
  'digest',
  'took'
]

export function addInspect(program: Program): void {
  const command = define(program, {
    usage: 'inspect <key>',
    summary: 'Show where a key lives, and which peer holds which version',
    more: [
      'Asks the peers nearest to the key, nearest first, and changes nothing. "current" peers hold all that any of them holds, "behind" ones less. Equal digests are equal records.'
    ],
    examples: [
      ['waggle inspect party', 'its replicas, and the peers behind them'],
      ['waggle inspect party --json', 'for programs']
    ]
  })
  addTimeoutOption(addNetworkOptions(command))
  act(program, command, inspect)
}

async function inspect(
  context: Context,
  options: InspectOptions,
  [keyText = '']: readonly string[]
): Promise<number> {
  const key = parseKey(keyText)
  const call = { timeoutMs: timeoutMsOf(options), signal: context.io.signal }
  const inspection = await withClient(options, context.io, (dht) => dht.inspect(key, call))
  context.answer({
    json: inspectionJson(key, inspection),
    text: inspectionText(inspection, context)
  })
  context.note(noteOf(inspection.peers))
  return DONE
}

function inspectionText({ found, peers }: Inspection, { paint }: Context): string {
  const now = getDHTTime()
  const rows = [HEADINGS, ...peers.map((peer) => cellsOf(peer, now))]
  const widths = HEADINGS.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  const table = rows.map((row, index) => {
    const tone = index === 0 ? 'faint' : TONES[peers[index - 1]?.state ?? 'empty']
    return paint(
      tone,
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd()
    )
  })
  const value = found === undefined ? paint('faint', 'nothing') : foundText(found, now, paint)
  return [value, '', ...table].join('\n')
}

function cellsOf(peer: InspectedPeer, now: number): string[] {
  const { bytes, digest, entries, expirationTime, role, sharedBits, state, tookMs } = peer
  return [
    peer.peer.toString(),
    String(sharedBits),
    role,
    state,
    String(entries),
    shownBytes(bytes),
    expirationTime === undefined ? '–' : shownDuration(expirationTime - now),
    digest ?? '–',
    `${tookMs.toFixed(1)} ms`
  ]
}

function noteOf(peers: readonly InspectedPeer[]): string {
  const replicas = peers.filter(({ role }) => role === 'replica')
  const current = replicas.filter(({ state }) => state === 'current')
  return `${current.length} of ${counted(replicas.length, 'replica')} current`
}
