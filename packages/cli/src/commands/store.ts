import { text as textOf } from 'node:stream/consumers'
import type { CallOptions, DHT } from '@waggle/dht'
import { type Found, getDHTTime, type Key, type Subkey } from '@waggle/record'
import { expirationOf } from '@waggle/record/replica'
import { CommandError, DONE } from '../errors.ts'
import { withClient } from '../network/client.ts'
import { addNetworkOptions, type NetworkOptions } from '../network/network-options.ts'
import { shownMoment } from '../text/time.ts'
import { jsonOf, parseKey, parseValue } from '../text/value-text.ts'
import type { Context } from './context.ts'
import { act, define, type Program } from './define.ts'
import { placeIn } from './found.ts'
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

type StoreCommandOptions = NetworkOptions & LifetimeOptions & SubkeyOptions & TimeoutOptions

export function addStore(program: Program): void {
  const command = define(program, {
    usage: 'store <key> <value>',
    summary: 'Store a value until it expires',
    more: [
      'Keys and values are JSON; what is not JSON is text, and base64:… is bytes. Of two values in one place the one that expires later stays.'
    ],
    examples: [
      ['waggle store greeting hello', 'a word, for an hour'],
      ['waggle store settings \'{"rounds": 3}\' --ttl 7d', 'an object, for a week'],
      ['waggle store party yes --subkey alice', 'one entry of a dictionary that many write'],
      ['waggle store logo - < logo.txt', 'what comes by the standard input']
    ]
  })
  command.option('-s, --subkey <subkey>', 'store into the dictionary under the key, in this place')
  addTimeoutOption(addNetworkOptions(addLifetimeOptions(command, 'to keep it')))
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

  return withClient(options, io, async (dht) => {
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

/** Why a write was refused, by what is there instead. */
export async function refusal(
  dht: DHT,
  key: Key,
  { subkey, ...call }: CallOptions & { readonly subkey: Subkey | undefined }
): Promise<CommandError> {
  const found = await dht.get(key, { latest: true, ...call })
  const held = subkey === undefined ? found : (placeIn(found, subkey) ?? found)
  return new CommandError(`refused: ${reason(held, key, subkey)}`)
}

function reason(held: Found | undefined, key: Key, subkey: Subkey | undefined): string {
  const place = shownPlace(key, subkey)

  return held === undefined
    ? `${place} was deleted with a later expiration, has expired already, or no peer could take it: give a longer --ttl, and look who is there with: waggle peers`
    : `${place} holds something until ${shownMoment(held.expirationTime, getDHTTime())}, which is no earlier: give a longer --ttl`
}
