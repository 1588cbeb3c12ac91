import { getDHTTime } from '@waggle/record'
import { expirationOf } from '@waggle/record/replica'
import type { Context } from '../context.ts'
import { DONE } from '../errors.ts'
import { withClient } from '../network/client.ts'
import { addNetworkOptions, type NetworkOptions } from '../network/network-options.ts'
import { shownMoment } from '../text/time.ts'
import { jsonOf, parseKey } from '../text/value-text.ts'
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
import { refusal } from './store.ts'

type DeleteOptions = NetworkOptions & LifetimeOptions & SubkeyOptions & TimeoutOptions

export function addDelete(program: Program): void {
  const command = define(program, {
    usage: 'delete <key>',
    summary: 'Delete a key, or one subkey of a dictionary',
    more: [
      'A deletion is a write without a value. It must expire later than the value it deletes, so give it a longer --ttl than the value had. Until the deletion expires, it keeps out every write that expires earlier.'
    ],
    examples: [
      ['waggle delete greeting --ttl 2h', 'a value that was stored for an hour'],
      ['waggle delete party --subkey alice --ttl 2h', 'one subkey; the others stay']
    ]
  })
  command.option('-s, --subkey <subkey>', 'delete only this subkey of the dictionary')
  addTimeoutOption(addNetworkOptions(addLifetimeOptions(command, 'the deletion holds')))
  act(program, command, remove)
}

async function remove(
  context: Context,
  options: DeleteOptions,
  [keyText = '']: readonly string[]
): Promise<number> {
  const { io } = context
  const key = parseKey(keyText)
  const { subkey } = subkeyOf(options)
  const expirationTime = expirationOf(lifetimeOf(options), getDHTTime())
  const call = { timeoutMs: timeoutMsOf(options), signal: io.signal }

  return withClient(options, io, async (dht) => {
    if (!(await dht.delete(key, { subkey, expirationTime, ...call }))) {
      throw await refusal(dht, key, { subkey, ...call })
    }

    const place = { key: jsonOf(key), ...(subkey !== undefined && { subkey: jsonOf(subkey) }) }
    context.answer({
      json: { deleted: true, ...place, expirationTime },
      text: `deleted ${shownPlace(key, subkey)}; values that expire earlier are refused until ${shownMoment(expirationTime, getDHTTime())}`
    })
    return DONE
  })
}
