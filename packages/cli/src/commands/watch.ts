import { type Found, getDHTTime, type Key } from '@waggle/record'
import type { Context } from '../context.ts'
import { DONE } from '../errors.ts'
import { joinedClient } from '../network/client.ts'
import { addNetworkOptions, type NetworkOptions } from '../network/network-options.ts'
import { parseCount } from '../text/count.ts'
import { foundJson, foundText } from '../text/found.ts'
import { shownClock } from '../text/time.ts'
import { jsonOf, parseKey } from '../text/value-text.ts'
import { act, define, type Program } from './define.ts'
import { type SubkeyOptions, shownPlace, subkeyOf } from './places.ts'

const NOTES = {
  unreachable: 'too few of the servers nearest to the key answer: changes may be missed',
  reachable: 'enough servers answer again'
} as const

type WatchOptions = NetworkOptions &
  SubkeyOptions & { readonly count?: string; readonly renewals?: true }

export function addWatch(program: Program): void {
  const command = define(program, {
    usage: 'watch <key>',
    summary: 'Print the value of a key, and each change to it',
    more: ['Expirations and deletions are changes, too. Press Ctrl-C to stop.'],
    examples: [
      ['waggle watch party', 'every change of a dictionary'],
      ['waggle watch party --subkey alice', 'every change of one subkey'],
      ['waggle watch greeting --json', 'a line of JSON for each change'],
      ['waggle watch greeting --count 2', 'the current value and the next change']
    ]
  })
  command
    .option('-s, --subkey <subkey>', 'watch only this subkey of the dictionary')
    .option('-n, --count <number>', 'stop after this many values')
    .option('--renewals', 'print a value also when only its expiration is later')
  addNetworkOptions(command)
  act(program, command, watch)
}

async function watch(
  context: Context,
  options: WatchOptions,
  [keyText = '']: readonly string[]
): Promise<number> {
  const { signal } = context.io
  const key = parseKey(keyText)
  const { subkey } = subkeyOf(options)
  const count = options.count === undefined ? undefined : parseCount(options.count, '--count')
  let seen = 0
  await using dht = await joinedClient(options, context.io)
  context.note(`watching ${shownPlace(key, subkey)}; press Ctrl-C to stop`)

  const { renewals } = options
  const onProgress = ({ name }: { readonly name: keyof typeof NOTES }): void =>
    context.note(NOTES[name])

  const watchOptions = { signal, renewals, onProgress }
  const events =
    subkey === undefined
      ? dht.watch(key, watchOptions)
      : dht.watch(key, { ...watchOptions, subkey })

  for await (const { current } of events) {
    tell(context, key, current)

    if (++seen === count) {
      break
    }
  }

  return DONE
}

function tell({ answer, paint }: Context, key: Key, found: Found | undefined): void {
  const now = getDHTTime()
  const time = paint('faint', shownClock(now))

  if (found === undefined) {
    answer({
      json: { key: jsonOf(key), gone: true },
      text: `${time}  ${paint('faint', 'nothing')}`
    })
    return
  }

  const text = foundText(found, now, paint)
  const separator = found.value instanceof Map ? '\n' : '  '
  answer({ json: foundJson(key, found), text: `${time}${separator}${text}` })
}
