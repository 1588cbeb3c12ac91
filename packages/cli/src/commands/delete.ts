import { getDHTTime } from '@waggle/record'
import { expirationOf } from '@waggle/record/replica'
import { DONE } from '../errors.ts'
import { withClient } from '../network/client.ts'
import { addNetworkOptions, type NetworkOptions } from '../network/network-options.ts'
import { shownMoment } from '../text/time.ts'
import { jsonOf, parseKey } from '../text/value-text.ts'
import type { Context } from './context.ts'
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
    summary: 'Delete a key, or one place of a dictionary',
    more: [
      'A deletion is a write without a value. It must expire later than what it deletes, and until it expires nothing earlier comes back: so give it a longer --ttl than the value had.'
    ],
    examples: [
      ['waggle delete greeting --ttl 2h', 'what was stored for an hour'],
      ['waggle delete party --subkey alice --ttl 2h', 'one entry; the others stay']
    ]
  })
  command.option('-s, --subkey <subkey>', 'only this place of the dictionary')
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
      text: `deleted ${shownPlace(key, subkey)}; nothing that expires earlier comes back before ${shownMoment(expirationTime, getDHTTime())}`
    })
    return DONE
  })
}
