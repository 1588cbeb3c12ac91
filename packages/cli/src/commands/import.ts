import type { DHT } from '@waggle/dht'
import { getDHTTime } from '@waggle/record'
import type { Context } from '../context.ts'
import { DONE, FAILED } from '../errors.ts'
import { withClient } from '../network/client.ts'
import { addNetworkOptions, type NetworkOptions } from '../network/network-options.ts'
import { batches } from '../records/batches.ts'
import { type ImportedEntry, parseEntryLine } from '../records/entry-line.ts'
import { storeBatch } from '../records/store-batch.ts'
import { STANDARD_INPUT, type TextLines, textLines } from '../records/text-lines.ts'
import { openProgress } from '../screens/progress.ts'
import type { Progress } from '../screens/progress-bar.tsx'
import { counted, shownCount } from '../text/count.ts'
import { shownDuration } from '../text/time.ts'
import { act, define, type Program } from './define.ts'

/** Counts of the lines by outcome. */
interface Tally {
  stored: number
  refused: number
  failed: number
  expired: number
  signed: number
}

/** An entry with the length of its line, which estimates its memory. */
interface Line {
  readonly entry: ImportedEntry
  readonly bytes: number
}

export function addImport(program: Program): void {
  const command = define(program, {
    usage: 'import [file]',
    summary: 'Store the output of waggle export',
    more: [
      'Reads JSON lines from the file or the standard input, and stores each entry with its original expiration time. Skips expired entries, and signed entries, which only their owner can store.'
    ],
    examples: [
      ['waggle import backup.jsonl', 'into the network of this machine'],
      [
        'waggle export -p old:1337 --keys-from keys.txt | waggle import -p new:1337',
        'from one network into another'
      ]
    ]
  })
  addNetworkOptions(command)
  act(program, command, importLines)
}

async function importLines(
  context: Context,
  options: NetworkOptions,
  [file = STANDARD_INPUT]: readonly string[]
): Promise<number> {
  const { io } = context
  const lines = await textLines(file, io.stdin)

  return withClient(options, io, async (dht) => {
    const startMs = performance.now()
    const tally: Tally = { stored: 0, refused: 0, failed: 0, expired: 0, signed: 0 }
    const progress = await openProgress(context, 'importing')

    try {
      await storeAll(dht, lines, { tally, progress, signal: io.signal })
    } finally {
      progress.close()
    }

    tell(context, tally, (performance.now() - startMs) / 1000)
    return tally.refused + tally.failed === 0 ? DONE : FAILED
  })
}

interface Storing {
  readonly tally: Tally
  readonly progress: Progress
  readonly signal: AbortSignal
}

async function storeAll(
  dht: DHT,
  lines: TextLines,
  { tally, progress, signal }: Storing
): Promise<void> {
  for await (const batch of batches(entriesIn(lines, tally), ({ bytes }) => bytes)) {
    const entries = batch.map(({ entry }) => entry)
    const { stored, refused, failed } = await storeBatch(dht, entries, signal)
    tally.stored += stored
    tally.refused += refused
    tally.failed += failed
    progress.show(done(tally), lines.fraction)
  }
}

function done({ stored, refused, failed }: Tally): number {
  return stored + refused + failed
}

async function* entriesIn(lines: TextLines, tally: Tally): AsyncGenerator<Line> {
  let lineNumber = 0

  for await (const line of lines) {
    const entry = parseEntryLine(line, ++lineNumber)

    if (entry.isSigned) {
      tally.signed++
    } else if (entry.expirationTime <= getDHTTime()) {
      tally.expired++
    } else {
      yield { entry, bytes: line.length }
    }
  }
}

function tell(context: Context, tally: Tally, seconds: number): void {
  const { stored, refused, failed, expired, signed } = tally
  const left = [
    [refused, 'refused, because a later value is stored'],
    [failed, 'not stored, because no peer could store them: import them again'],
    [expired, 'skipped, because they have expired'],
    [signed, 'skipped, because only their owner can store them']
  ] as const
  const rest = left
    .filter(([count]) => count > 0)
    .map(([count, why]) => `; ${shownCount(count)} ${why}`)
  const perSecond = Math.round(done(tally) / seconds)
  context.answer({
    json: { ...tally, seconds, perSecond },
    text: `imported ${counted(stored, 'entry', 'entries')} in ${shownDuration(seconds)} (${shownCount(perSecond)} a second)${rest.join('')}`
  })
}
