import { text as textOf } from 'node:stream/consumers'
import type { CallOptions } from '@waggle/dht'
import { type Found, getDHTTime, type Key, type Subkey } from '@waggle/record'
import { expirationOf } from '@waggle/record/replica'
import type { Context } from '../context.ts'
import { CommandError, DONE } from '../errors.ts'
import { type CommonClient, withCommonClient } from '../network/hivemind-client.ts'
import {
  addHivemindOption,
  addNetworkOptions,
  type HivemindOptions,
  type NetworkOptions
} from '../network/network-options.ts'
import { subkeyEntry } from '../records/subkey-entry.ts'
import { shownMoment } from '../text/time.ts'
import { jsonOf, parseKey, parseValue } from '../text/value-text.ts'
import { act, define, type Program } from './define.ts'
import {
  addLifetimeOptions,
  addTimeoutOption,
  type LifetimeOptions,
  lifetimeOf,
  type SubkeyOptions,
  shownPlace,
  subkeyOf,
  type TimeoutOptions,
  timeoutMsOf
} from './places.ts'

type StoreCommandOptions = NetworkOptions &
  HivemindOptions &
  LifetimeOptions &
  SubkeyOptions &
  TimeoutOptions

export function addStore(program: Program): void {
  const command = define(program, {
    usage: 'store <key> <value>',
    summary: 'Store a value until it expires',
    more: [
      'Keys and values are JSON. Anything else is stored as text, and base64:… as bytes. Of two values under the same key or subkey, the one that expires later wins.'
    ],
    examples: [
      ['waggle store greeting hello', 'text, for an hour'],
      ['waggle store settings \'{"rounds": 3}\' --ttl 7d', 'an object, for a week'],
      ['waggle store party yes --subkey alice', 'one subkey of a dictionary with many writers'],
      ['waggle store logo - < logo.txt', 'a value from the standard input']
    ]
  })
  command.option('-s, --subkey <subkey>', 'store under this subkey of a dictionary')
  addLifetimeOptions(command, 'to keep it')
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
  const expirationTime = expirationOf(lifetimeOf(options), getDHTTime())
  const value = parseValue(valueText === '-' ? (await textOf(io.stdin)).trimEnd() : valueText)
  const call = { timeoutMs: timeoutMsOf(options), signal: io.signal }

  return withCommonClient(options, io, async (dht) => {
    if (!(await dht.store(key, value, { subkey, expirationTime, ...call }))) {
      throw await refusal(dht, key, { subkey, ...call })
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

/** Explains why a write was refused, from the value that is stored instead. */
export async function refusal(
  dht: Pick<CommonClient, 'get'>,
  key: Key,
  { subkey, ...call }: CallOptions & { readonly subkey: Subkey | undefined }
): Promise<CommandError> {
  const found = await dht.get(key, { latest: true, ...call })
  const held = subkey === undefined ? found : (subkeyEntry(found, subkey) ?? found)
  return new CommandError(`refused: ${reason(held, key, subkey)}`)
}

function reason(held: Found | undefined, key: Key, subkey: Subkey | undefined): string {
  const place = shownPlace(key, subkey)

  return held === undefined
    ? `${place} was deleted with a later expiration, or has already expired: use a longer --ttl`
    : `${place} already holds a value until ${shownMoment(held.expirationTime, getDHTTime())}, which is not earlier: use a longer --ttl`
}
