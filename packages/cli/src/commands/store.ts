import { getDHTTime, type Value } from '@waggle/record'
import { expirationOf } from '@waggle/record/replica'
import type { Context } from '../context.ts'
import { DONE, UsageError } from '../errors.ts'
import { withCommonClient } from '../network/hivemind-client.ts'
import {
  addHivemindOption,
  addNetworkOptions,
  type HivemindOptions,
  type NetworkOptions
} from '../network/network-options.ts'
import { DEFAULT_LIFETIME, type LifetimeOptions, lifetimeOf } from '../text/lifetime.ts'
import { shownMoment } from '../text/time.ts'
import { jsonOf, parseKey, parseValue } from '../text/value-text.ts'
import { act, define, type Program } from './define.ts'
import { inputValue } from './input-value.ts'
import {
  addLifetimeOptions,
  addTimeoutOption,
  type SubkeyOptions,
  shownPlace,
  subkeyOf,
  type TimeoutOptions,
  timeoutMsOf
} from './places.ts'
import { pastExpiration, refusal } from './refusal.ts'

type StoreCommandOptions = NetworkOptions &
  HivemindOptions &
  LifetimeOptions &
  SubkeyOptions &
  TimeoutOptions & { readonly raw?: boolean }

export function addStore(program: Program): void {
  const command = define(program, {
    usage: 'store <key> <value>',
    summary: 'Store a value until it expires',
    more: [
      'Keys and values are JSON. Anything else is stored as text, and base64:… as bytes. Of two values under the same key or subkey, the one that expires later wins.',
      'The value - stands for the standard input. Text there is read as an argument would be, without the newline at its end; bytes that are not UTF-8 are stored unchanged.'
    ],
    examples: [
      ['waggle store greeting hello', 'text, for an hour'],
      ['waggle store settings \'{"rounds": 3}\' --ttl 7d', 'an object, for a week'],
      ['waggle store party yes --subkey alice', 'one subkey of a dictionary with many writers'],
      ['waggle store logo - --raw < logo.png', 'the bytes of a file']
    ]
  })
  command
    .option('-s, --subkey <subkey>', 'store under this subkey of a dictionary')
    .option('-r, --raw', 'store the standard input as bytes, unchanged')
  addLifetimeOptions(command, 'to keep it', true)
  addTimeoutOption(addHivemindOption(addNetworkOptions(command)))
  act(program, command, store)
}

async function store(
  context: Context,
  options: StoreCommandOptions,
  [keyText = '', valueText = '']: readonly string[]
): Promise<number> {
  const { io } = context
  const key = parseKey(keyText)
  const { subkey } = subkeyOf(options)
  const expirationTime = expirationOf(lifetimeOf(options) ?? DEFAULT_LIFETIME, getDHTTime())
  const value = await storedValue(context, options, valueText)
  const call = { timeoutMs: timeoutMsOf(options), signal: io.signal }

  if (expirationTime <= getDHTTime()) {
    throw pastExpiration(shownPlace(key, subkey))
  }

  return withCommonClient(options, io, async (dht) => {
    const report = await dht.store(key, value, { subkey, expirationTime, ...call, report: true })

    if (report.outcome !== 'held') {
      throw await refusal(report, { key, subkey })
    }

    context.answer({
      json: {
        stored: true,
        key: jsonOf(key),
        ...(subkey !== undefined && { subkey: jsonOf(subkey) }),
        expirationTime
      },
      text: `stored ${shownPlace(key, subkey)} until ${shownMoment(expirationTime, getDHTTime())}`
    })
    return DONE
  })
}

async function storedValue(
  { io }: Context,
  { raw = false }: StoreCommandOptions,
  text: string
): Promise<Value> {
  if (text === '-') {
    return inputValue(io.stdin, raw)
  }

  if (raw) {
    throw new UsageError(
      '--raw is for the standard input: give - as the value, or base64:… for bytes'
    )
  }

  return parseValue(text)
}
