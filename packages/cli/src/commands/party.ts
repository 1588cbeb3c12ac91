import { userInfo } from 'node:os'
import type { DHT } from '@waggle/dht'
import type { Context } from '../context.ts'
import { DONE } from '../errors.ts'
import { localPorts } from '../network/local-ports.ts'
import {
  addNetworkOptions,
  identityOptions,
  type NetworkOptions,
  namedPeers
} from '../network/network-options.ts'
import { Party } from '../party/party.ts'
import { shownClock } from '../text/time.ts'
import { act, define, type Program } from './define.ts'

type PartyOptions = NetworkOptions & { readonly answer: string; readonly listenOn?: string }

export function addParty(program: Program): void {
  const command = define(program, {
    usage: 'party [name]',
    summary: 'Show live who comes to the party; start it in several terminals',
    more: [
      'Each terminal is a peer. It stores whether its guest comes under a subkey of the key "party", and watches the subkeys of all other guests. A guest that leaves or is killed disappears.'
    ],
    examples: [
      ['waggle party alice', 'in one terminal'],
      [
        'waggle party carol --answer no',
        'in another terminal; y, n and m change the answer, q leaves'
      ],
      ['waggle party dave -l :0 -p 10.0.0.1:1337', 'from another machine']
    ]
  })
  command
    .option('-a, --answer <text>', 'whether you come', 'yes')
    .option('-l, --listen-on <address>', 'address to listen on, for guests on other machines')
  addNetworkOptions(command)
  act(program, command, party)
}

async function party(
  context: Context,
  options: PartyOptions,
  [name = `${ownName()}-${process.pid}`]: readonly string[]
): Promise<number> {
  const { io, isJson } = context
  await using dht = await joinedPeer(context, options)
  await using party = new Party(dht, name)
  party.say(options.answer)

  if (!isJson && io.stdout.isTTY === true && io.stdin.isTTY === true) {
    const { showParty } = await import('../screens/party.tsx')
    await showParty(io, party, { name, address: String(dht.multiaddrs[0] ?? '') })
  } else {
    await tellParty(context, party)
  }

  return DONE
}

/** Returns the user's name. In a container, a user may have none. */
function ownName(): string {
  try {
    return userInfo().username
  } catch {
    return 'guest'
  }
}

/** Starts a full peer, because it may be the first or the last of the network. */
async function joinedPeer({ io }: Context, options: PartyOptions): Promise<DHT> {
  const named = namedPeers(options, io)
  const { listenOn } = options
  const settings = { ...(await identityOptions(options)), signal: io.signal }

  if (named.length > 0 || listenOn !== undefined) {
    const { DHT } = await import('@waggle/dht')
    return DHT.create({ ...settings, initialPeers: named, listenOn })
  }

  const { startLocally } = await import('../network/server.ts')
  return startLocally(localPorts(options, io), settings)
}

/** Prints the party as lines if there is no terminal. */
async function tellParty({ io, answer }: Context, party: Party): Promise<void> {
  for await (const { guests, events } of party.views(io.signal)) {
    for (const { text, time } of events) {
      answer({
        json: { event: text, guests: guests.map(({ name, answer }) => ({ name, answer })) },
        text: `${shownClock(time)}  ${text}; here: ${guests.map(({ name }) => name).join(', ')}`
      })
    }
  }
}
