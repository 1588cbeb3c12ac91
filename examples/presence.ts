/**
 * Who is here just now, live: start it in several terminals, each with a name.
 *
 *     node examples/presence.ts alice
 *     node examples/presence.ts bob <the address that alice's prints>
 */
import process from 'node:process'
import { DHT } from '@waggle/dht'

const KEY = 'presence'

/** Seconds after which somebody counts as gone who was killed and could not say goodbye. */
const TTL = 6

const [name = 'somebody', ...initialPeers] = process.argv.slice(2)
const leaving = new AbortController()
process.once('SIGINT', () => leaving.abort())
process.once('SIGTERM', () => leaving.abort())

const dht = await DHT.create({ initialPeers })
console.log(`in another terminal: node examples/presence.ts <name> ${dht.multiaddrs[0]}`)

// Stored again and again while this process runs, and forgotten soon after it ends.
await dht.store(
  KEY,
  { since: new Date().toISOString() },
  { subkey: name, ttl: TTL, republish: true }
)

let shown = ''

try {
  for await (const found of dht.watch(KEY, { signal: leaving.signal })) {
    const people = found?.value instanceof Map ? [...found.value.keys()] : []
    const here = people.map(String).sort().join(', ') || 'nobody'

    // To be stored again is a change, too: the entry then expires later.
    if (here !== shown) {
      console.log(`here: ${here}`)
      shown = here
    }
  }
} catch (error) {
  if (!leaving.signal.aborted) {
    throw error
  }
}

// A goodbye is a write like any other: it must outlive what it takes away.
await dht.delete(KEY, { subkey: name, ttl: 2 * TTL })
await dht.stop()
