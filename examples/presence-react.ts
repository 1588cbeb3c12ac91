/**
 * Shows who is here, with React. Start it in several terminals, each with its own name, and end it with Ctrl-C:
 *
 *     node examples/presence-react.ts alice
 *     node examples/presence-react.ts bob <the address that the first one prints>
 */
import process from 'node:process'
import { DHT } from '@waggle/dht'
import { render } from 'ink'
import { createElement } from 'react'
import { z } from 'zod'
import { Room } from './react/room.ts'

const [name = 'somebody', ...initialPeers] = process.argv.slice(2)
const dht = await DHT.create({ initialPeers })
console.log(`others join with: ${dht.multiaddrs[0]}`)

const room = dht.presence('presence', z.object({ name: z.string() }), { ttl: 6 })
const me = room.join({ name })

// Outside of all components, so that each rendering uses the same watch.
const watch = room.watch()
await render(createElement(Room, { watch })).waitUntilExit()

await me.stop() // says goodbye
await dht.stop()
