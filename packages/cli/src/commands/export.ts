import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { Context } from '../context.ts'
import { addControlOptions } from '../control/control-client.ts'
import { CommandError, DONE, FAILED, toError, UsageError } from '../errors.ts'
import { addNetworkOptions } from '../network/network-options.ts'
import { type Source, type SourceOptions, sourceOf } from '../records/sources.ts'
import { openProgress } from '../screens/progress.ts'
import { counted, shownCount } from '../text/count.ts'
import { line } from '../text/json.ts'
import { shownDuration } from '../text/time.ts'
import { act, define, type Program } from './define.ts'

type ExportOptions = SourceOptions & { readonly output?: string }

export function addExport(program: Program): void {
  const command = define(program, {
    usage: 'export [keys...]',
    summary: 'Write records as JSON lines',
    more: [
      'A network has no list of its keys. So either name the keys, which are then read from the network; or take what one node holds: a running one of this machine, or with --data-dir one that is stopped. In a network of up to 5 nodes each holds everything.'
    ],
    examples: [
      ['waggle export --output backup.jsonl', 'everything that the node on this machine holds'],
      ['waggle export party greeting', 'two keys, from the network'],
      ['waggle export --keys-from keys.txt > some.jsonl', 'the keys in a file, one a line'],
      ['waggle export --data-dir /var/lib/waggle', 'what a node that is stopped has kept']
    ]
  })
  command
    .option(
      '-k, --keys-from <file>',
      'keys to read from the network, one a line; - is the standard input'
    )
    .option('-d, --data-dir <directory>', 'the directory of a node that is stopped')
    .option('-o, --output <file>', 'where to write, instead of the standard output')
  addControlOptions(addNetworkOptions(command))
  act(program, command, exportRecords)
}

async function exportRecords(
  context: Context,
  options: ExportOptions,
  keys: readonly string[]
): Promise<number> {
  assertOneSource(options, keys)
  await using source = await sourceOf(context, options, keys)
  const { output } = options
  const out = output === undefined ? context.io.stdout : await opened(output)
  const progress = await openProgress(context, 'exporting')
  const startMs = performance.now()
  let entries = 0

  try {
    for await (const text of source.lines) {
      await write(out, `${text}\n`)
      progress.show(++entries, source.fraction())
    }

    await (output !== undefined && closed(out))
  } catch (error) {
    throw output === undefined ? error : explained(error, output)
  } finally {
    progress.close()
  }

  return tell(context, source, { entries, seconds: (performance.now() - startMs) / 1000, output })
}

function assertOneSource({ keysFrom, dataDir }: ExportOptions, keys: readonly string[]): void {
  if ([keys.length > 0, keysFrom !== undefined, dataDir !== undefined].filter(Boolean).length > 1) {
    throw new UsageError('give either keys, --keys-from or --data-dir, not several of them')
  }
}

async function opened(output: string): Promise<Writable> {
  const out = createWriteStream(output)

  try {
    await once(out, 'open')
    return out
  } catch (error) {
    throw explained(error, output)
  }
}

/** Waits where the reader is slower than we are: memory stays bounded. */
async function write(out: Writable, text: string): Promise<void> {
  if (!out.write(text)) {
    await once(out, 'drain')
  }
}

async function closed(out: Writable): Promise<void> {
  out.end()
  await finished(out)
}

function explained(error: unknown, output: string): Error {
  const { code, message } = toError(error) as NodeJS.ErrnoException
  return code === undefined
    ? toError(error)
    : new CommandError(`--output: can't write ${output}: ${message}`)
}

interface Exported {
  readonly entries: number
  readonly seconds: number
  readonly output: string | undefined
}

/** The answer is what was written; the summary is one only where that went to a file. */
function tell(
  { io, isJson, answer, note }: Context,
  { missing }: Source,
  exported: Exported
): number {
  const { entries, seconds, output } = exported
  const rate = Math.round(entries / seconds)
  const json = { entries, missing: missing(), seconds, perSecond: rate }
  const lost = missing() === 0 ? '' : `; ${counted(missing(), 'key was', 'keys were')} not found`
  const text = `exported ${counted(entries, 'entry', 'entries')} in ${shownDuration(seconds)} (${shownCount(rate)} a second)${lost}`

  if (output !== undefined) {
    answer({ json, text })
  } else if (isJson) {
    io.err(line(json))
  } else {
    note(text)
  }

  return missing() === 0 ? DONE : FAILED
}
