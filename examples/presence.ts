/**
 * Shows a live list of who is here. Start it in several terminals, each with its own name:
 *
 *     node examples/presence.ts alice
 *     node examples/presence.ts bob <the address that the first one prints>
 */
import process from 'node:process'
import { DHT } from '@waggle/dht'

const KEY = 'presence'

/** Seconds after which a killed program disappears from the list. */
const TTL = 6

const [name = 'somebody', ...initialPeers] = process.argv.slice(2)
const leaving = new AbortController()
process.once('SIGINT', () => leaving.abort())
process.once('SIGTERM', () => leaving.abort())

const dht = await DHT.create({ initialPeers })
console.log(`in another terminal: node examples/presence.ts <name> ${dht.multiaddrs[0]}`)

// Renewed for as long as this process runs.
await dht.store(
  KEY,
  { since: new Date().toISOString() },
  { subkey: name, ttl: TTL, republish: true }
)

for await (const { current } of dht.watch(KEY, { signal: leaving.signal })) {
  const people = current?.value instanceof Map ? [...current.value.keys()] : []
  console.log(`here: ${people.map(String).sort().join(', ') || 'nobody'}`)
}

// A deletion must expire later than what it deletes.
await dht.delete(KEY, { subkey: name, ttl: 2 * TTL })
await dht.stop()
