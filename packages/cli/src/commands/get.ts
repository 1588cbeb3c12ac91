import { type Found, getDHTTime, type Key, type Subkey, type Value } from '@waggle/record'
import type { Context } from '../context.ts'
import { CommandError, DONE } from '../errors.ts'
import { withCommonClient } from '../network/hivemind-client.ts'
import {
  addHivemindOption,
  addNetworkOptions,
  type HivemindOptions,
  type NetworkOptions
} from '../network/network-options.ts'
import { foundJson, foundText } from '../text/found.ts'
import { shownMoment } from '../text/time.ts'
import { parseKey } from '../text/value-text.ts'
import { act, define, type Program } from './define.ts'
import {
  addTimeoutOption,
  type SubkeyOptions,
  shownPlace,
  subkeyOf,
  type TimeoutOptions,
  timeoutMsOf
} from './places.ts'

type GetOptions = NetworkOptions &
  HivemindOptions &
  SubkeyOptions &
  TimeoutOptions & { readonly latest?: boolean; readonly raw?: boolean }

export function addGet(program: Program): void {
  const command = define(program, {
    usage: 'get <key>',
    summary: 'Read the value of a key',
    more: [
      'Prints the value as JSON, and a dictionary as one line per subkey. Exits with code 1 when the key is not found, and with code 3 when too few servers answer to tell.'
    ],
    examples: [
      ['waggle get greeting', 'the first response'],
      ['waggle get greeting --latest', 'the merged value of all replicas'],
      ['waggle get party --subkey alice', 'one subkey of a dictionary'],
      ['waggle get party --json', 'with expiration times, for programs']
    ]
  })
  command
    .option('-l, --latest', 'ask all replicas instead of returning the first response')
    .option('-s, --subkey <subkey>', 'read only this subkey of the dictionary')
    .option('-r, --raw', 'print text without quotes, and bytes unencoded')
  addTimeoutOption(addHivemindOption(addNetworkOptions(command)))
  act(program, command, get)
}

async function get(
  context: Context,
  options: GetOptions,
  [keyText = '']: readonly string[]
): Promise<number> {
  const { io } = context
  const key = parseKey(keyText)
  const { subkey } = subkeyOf(options)
  const call = { timeoutMs: timeoutMsOf(options), signal: io.signal, latest: options.latest }

  return withCommonClient(options, io, async (dht) => {
    const found = await dht.get(key, { ...call, subkey })

    if (found === undefined) {
      const whole = subkey === undefined ? undefined : await dht.get(key, call)
      throw missing(key, subkey, whole)
    }

    tell(context, options, key, found)
    return DONE
  })
}

function missing(key: Key, subkey: Subkey | undefined, whole: Found | undefined): CommandError {
  const place = shownPlace(key, subkey)
  const isPlain = whole !== undefined && !(whole.value instanceof Map)
  return new CommandError(
    isPlain
      ? `${place} was not found: ${shownPlace(key, undefined)} holds a single value, not a dictionary`
      : `no value is stored under ${place}, or it has expired`
  )
}

function tell(context: Context, options: GetOptions, key: Key, found: Found): void {
  const { io, isJson, paint } = context
  const { value, expirationTime } = found
  const now = getDHTTime()

  if (options.raw === true && !isJson && isRaw(value)) {
    io.stdout.write(typeof value === 'string' ? `${value}\n` : value)
    return
  }

  context.answer({ json: foundJson(key, found), text: foundText(found, now, paint) })

  if (!(value instanceof Map) && io.stderr.isTTY === true) {
    context.note(`until ${shownMoment(expirationTime, now)}`)
  }
}

function isRaw(value: Found['value']): value is Extract<Value, string | Uint8Array> {
  return typeof value === 'string' || value instanceof Uint8Array
}
