import { ownerTag } from '@waggle/record'
import type { Context } from '../context.ts'
import { DONE } from '../errors.ts'
import { act, define, type Program } from './define.ts'

export function addIdentity(program: Program): void {
  const command = define(program, {
    usage: 'identity <file>',
    summary: 'Show the peer ID of a private key; create the key if the file is missing',
    more: [
      'The holder of the key acts as that peer, and only that peer can write to subkeys with its owner tag. Keep the file where nobody else can read it.'
    ],
    examples: [
      ['waggle identity me.key', 'create the key that serve --identity me.key uses'],
      [
        "waggle store seats 3 --subkey '[owner:12D3…]' --identity me.key",
        'a subkey that only its owner can write'
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
