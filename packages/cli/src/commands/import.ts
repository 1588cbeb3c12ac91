import type { Context } from '../context.ts'
import { DONE, FAILED } from '../errors.ts'
import { withClient } from '../network/client.ts'
import { addNetworkOptions, type NetworkOptions } from '../network/network-options.ts'
import { LineImport, type Tally } from '../records/line-import.ts'
import { STANDARD_INPUT, textLines } from '../records/text-lines.ts'
import { openProgress } from '../screens/progress.ts'
import { counted, shownCount } from '../text/count.ts'
import { shownDuration } from '../text/time.ts'
import { act, define, type Program } from './define.ts'

type ImportOptions = NetworkOptions & { readonly continueOnError?: boolean }

export function addImport(program: Program): void {
  const command = define(program, {
    usage: 'import [file]',
    summary: 'Store the output of waggle export',
    more: [
      'Reads JSON lines from the file or the standard input, and stores each entry with its original expiration time. Skips expired entries, and signed entries, which only their owner can store. Stops at a line that is wrong, after all lines before it are stored.'
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
  command.option(
    '--continue-on-error',
    'name each line that is wrong, and import the others, instead of stopping there'
  )
  act(program, command, importFile)
}

async function importFile(
  context: Context,
  options: ImportOptions,
  [file = STANDARD_INPUT]: readonly string[]
): Promise<number> {
  const { io } = context
  const lines = await textLines(file, io.stdin)

  return withClient(options, io, async (dht) => {
    const startMs = performance.now()
    const progress = await openProgress(context, 'importing')
    const importing = new LineImport({
      dht,
      lines,
      signal: io.signal,
      onProgress: (count) => progress.show(count, lines.fraction),
      onWrong: options.continueOnError === true ? ({ message }) => io.err(message) : undefined
    })

    try {
      await importing.run()
    } finally {
      progress.close()
    }

    tell(context, importing.tally, (performance.now() - startMs) / 1000)
    const { refused, failed, wrong } = importing.tally
    return refused + failed + wrong === 0 ? DONE : FAILED
  })
}

function tell(context: Context, tally: Tally, seconds: number): void {
  const { stored, refused, failed, expired, signed, wrong } = tally
  const left = [
    [refused, 'refused, because a later value is stored'],
    [failed, 'not stored, because no peer could store them: import them again'],
    [expired, 'skipped, because they have expired'],
    [signed, 'skipped, because only their owner can store them'],
    [wrong, 'skipped, because they are wrong']
  ] as const
  const rest = left
    .filter(([count]) => count > 0)
    .map(([count, why]) => `; ${shownCount(count)} ${why}`)
  const perSecond = Math.round((stored + refused + failed) / seconds)
  context.answer({
    json: { ...tally, seconds, perSecond },
    text: `imported ${counted(stored, 'entry', 'entries')} in ${shownDuration(seconds)} (${shownCount(perSecond)} a second)${rest.join('')}`
  })
}
