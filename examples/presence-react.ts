/**
 * Shows who is here, with React. Start it in several terminals, each with its own name:
 *
 *     node examples/presence-react.ts alice
 *     node examples/presence-react.ts bob <the address that the first one prints>
 */
import process from 'node:process'
import { DHT } from '@waggle/dht'
import { render } from 'ink'
import { createElement } from 'react'
import { Room } from './react-room.ts'

const KEY = 'presence'
const TTL = 6

const [name = 'somebody', ...initialPeers] = process.argv.slice(2)
const dht = await DHT.create({ initialPeers })
console.log(`in another terminal: node examples/presence-react.ts <name> ${dht.multiaddrs[0]}`)
await dht.store(KEY, 'here', { subkey: name, ttl: TTL, republish: true })

// Outside of all components, so that each rendering uses the same watch.
const watch = dht.watch(KEY)
const screen = render(createElement(Room, { watch }))
await screen.waitUntilExit()

// A deletion must expire later than what it deletes.
await dht.delete(KEY, { subkey: name, ttl: 2 * TTL })
await dht.stop()
