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
      'A network has no list of its keys. Either name keys to read from the network, or export the records of one node: a running node on this machine, or with --data-dir a stopped one. In a network of up to 5 nodes, each node holds all records.'
    ],
    examples: [
      ['waggle export --output backup.jsonl', 'all records of the node on this machine'],
      ['waggle export party greeting', 'two keys, from the network'],
      ['waggle export --keys-from keys.txt > some.jsonl', 'the keys in a file, one per line'],
      ['waggle export --data-dir /var/lib/waggle', 'the records of a stopped node']
    ]
  })
  command
    .option(
      '-k, --keys-from <file>',
      'file with keys to read from the network, one per line; - is the standard input'
    )
    .option('-d, --data-dir <directory>', 'data directory of a stopped node')
    .option('-o, --output <file>', 'file to write instead of the standard output')
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
      await write(out, `${text}\n`, context.io.signal)
      progress.show(++entries, source.fraction())
    }

    await (output !== undefined && whenClosed(out))
  } catch (error) {
    throw output === undefined ? error : explained(error, output)
  } finally {
    progress.close()
  }

  return tell(context, source, { entries, seconds: (performance.now() - startMs) / 1000, output })
}

function assertOneSource({ keysFrom, dataDir }: ExportOptions, keys: readonly string[]): void {
  if ([keys.length > 0, keysFrom !== undefined, dataDir !== undefined].filter(Boolean).length > 1) {
    throw new UsageError('give only one of keys, --keys-from and --data-dir')
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

/** Waits for a slow reader, so that memory stays bounded. */
async function write(out: Writable, text: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()

  if (!out.write(text)) {
    await once(out, 'drain', { signal })
  }
}

async function whenClosed(out: Writable): Promise<void> {
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

/** Prints the summary: on the standard output only when the entries went to a file. */
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
