import { ownerTag } from '@waggle/record'
import type { Context } from '../context.ts'
import {
  addControlOptions,
  type ControlOptions,
  controlledNode
} from '../control/control-client.ts'
import { DONE } from '../errors.ts'
import { addLocalPortOption, type LocalPortOptions } from '../network/local-ports.ts'
import { act, define, type Program } from './define.ts'

type IdOptions = ControlOptions & LocalPortOptions

export function addId(program: Program): void {
  const command = define(program, {
    usage: 'id [file]',
    summary: 'Show the peer ID and the owner tag of a private key, or of a node on this machine',
    more: [
      'Creates the key if the file is missing. The holder of the key acts as that peer, and only that peer can write to keys and subkeys with its owner tag. Keep the file where nobody else can read it.'
    ],
    examples: [
      ['waggle id', 'the peer ID of the only node on this machine'],
      ['waggle id me.key', 'create the key that serve --identity me.key uses'],
      [
        "waggle store seats 3 --subkey '[owner:12D3…]' --identity me.key",
        'a subkey that only its owner can write'
      ]
    ]
  })
  command.alias('identity')
  addLocalPortOption(addControlOptions(command))
  act(program, command, id)
}

async function id(
  context: Context,
  options: IdOptions,
  [file]: readonly string[]
): Promise<number> {
  const peerId = file === undefined ? await idOfNode(context, options) : await idIn(file)
  const tag = ownerTag(peerId)
  context.answer({
    json: { peerId, ownerTag: tag },
    text: `${peerId}\n${context.paint('faint', `owner tag: ${tag}`)}`
  })
  return DONE
}

async function idOfNode({ io }: Context, options: IdOptions): Promise<string> {
  const { overview } = await controlledNode(options, io)
  return overview.peerId
}

/** Reads the key as a node does, which creates one in a file that is missing. */
async function idIn(file: string): Promise<string> {
  const { DHT } = await import('@waggle/dht')
  await using dht = await DHT.create({ identityPath: file, clientMode: true })
  return dht.peerId.toString()
}
