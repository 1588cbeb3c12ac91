import { ownerTag } from '@waggle/record'
import type { Context } from '../context.ts'
import { DONE } from '../errors.ts'
import { act, define, type Program } from './define.ts'

export function addIdentity(program: Program): void {
  const command = define(program, {
    usage: 'identity <file>',
    summary: 'Show the peer id of a private key, and make the key if it is missing',
    more: [
      'Who has the key is that peer, and alone can write to places that bear its owner tag: keep it where nobody else can read it.'
    ],
    examples: [
      ['waggle identity me.key', 'before serve --identity me.key runs'],
      [
        "waggle store seats 3 --subkey '[owner:12D3…]' --identity me.key",
        'a place that only its owner can write to'
      ]
    ]
  })
  act(program, command, identity)
}

async function identity(
  context: Context,
  _options: object,
  [file = '']: readonly string[]
): Promise<number> {
  const { DHT } = await import('@waggle/dht')
  await using dht = await DHT.create({ identityPath: file, clientMode: true })
  const peerId = dht.peerId.toString()
  const tag = ownerTag(dht.peerId)
  context.answer({
    json: { peerId, ownerTag: tag },
    text: `${peerId}\n${context.paint('faint', `owner tag: ${tag}`)}`
  })
  return DONE
}
