/**
 * Shows a live list of who is here. Start it in several terminals, each with its own name:
 *
 *     node examples/presence.ts alice
 *     node examples/presence.ts bob <the address that the first one prints>
 */
import process from 'node:process'
import { DHT } from '@waggle/dht'
import { z } from 'zod'

const [name = 'somebody', ...initialPeers] = process.argv.slice(2)
const leaving = new AbortController()
process.once('SIGINT', () => leaving.abort())
process.once('SIGTERM', () => leaving.abort())

const dht = await DHT.create({ initialPeers })
console.log(`others join with: ${dht.multiaddrs[0]}`)

// Each member has a place of its own, which no other peer can write. A killed program is gone after `ttl` seconds.
const room = dht.presence('presence', z.object({ name: z.string() }), { ttl: 6 })
const me = room.join({ name })

for await (const { current } of room.watch({ signal: leaving.signal })) {
  const people = [...current.values()].map(({ value }) => value.name)
  console.log(`here: ${people.sort().join(', ') || 'nobody'}`)
}

await me.stop() // says goodbye
await dht.stop()
