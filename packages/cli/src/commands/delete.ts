import { getDHTTime } from '@waggle/record'
import { expirationOf } from '@waggle/record/replica'
import type { Context } from '../context.ts'
import { DONE } from '../errors.ts'
import { withClient } from '../network/client.ts'
import { addNetworkOptions, type NetworkOptions } from '../network/network-options.ts'
import { type LifetimeOptions, lifetimeOf } from '../text/lifetime.ts'
import { shownMoment } from '../text/time.ts'
import { jsonOf, parseKey } from '../text/value-text.ts'
import { act, define, type Program } from './define.ts'
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

type DeleteOptions = NetworkOptions & LifetimeOptions & SubkeyOptions & TimeoutOptions

export function addDelete(program: Program): void {
  const command = define(program, {
    usage: 'delete <key>',
    summary: 'Delete a key, or one subkey of a dictionary',
    more: [
      'A deletion is a write without a value, which expires just after the value that it deletes. Until then, it keeps out every write that expires earlier. With --ttl or --expiration-time, it keeps them out for longer, and does not read the value first.'
    ],
    examples: [
      ['waggle delete greeting', 'a value, whenever it expires'],
      ['waggle delete party --subkey alice', 'one subkey; the others stay'],
      ['waggle delete greeting --ttl 2h', 'also writes in flight that expire within two hours']
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
  const lifetime = lifetimeOf(options)
  const given = lifetime && expirationOf(lifetime, getDHTTime())
  const place = { key: jsonOf(key), ...(subkey !== undefined && { subkey: jsonOf(subkey) }) }
  const shown = shownPlace(key, subkey)
  const call = { timeoutMs: timeoutMsOf(options), signal: io.signal }

  if (given !== undefined && given <= getDHTTime()) {
    throw pastExpiration(shown)
  }

  return withClient(options, io, async (dht) => {
    const report = await dht.delete(key, { subkey, ...lifetime, ...call, report: true })
    const { expirationTime, outcome, replicas } = report

    if (outcome === 'held' && replicas.length === 0) {
      context.answer({
        json: { deleted: false, ...place },
        text: `no value is stored under ${shown}: there is nothing to delete`
      })
      return DONE
    }

    if (outcome !== 'held') {
      throw await refusal(report, { key, subkey })
    }

    context.answer({
      json: { deleted: true, ...place, expirationTime },
      text: `deleted ${shown}; values that expire earlier are refused until ${shownMoment(expirationTime, getDHTTime())}`
    })
    return DONE
  })
}
