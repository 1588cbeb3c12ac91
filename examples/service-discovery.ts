/**
 * Servers announce their addresses, and clients find one that works. A server that stops deletes its
 * entry. The entry of a server that crashes expires.
 */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DHT } from '@waggle/dht'

const SERVICE = 'service/greeter'

/** Seconds until an entry expires. It is renewed when half of them have passed. */
const TTL = 10

interface Announced {
  readonly name: string
  readonly http: Server
  readonly url: string
  readonly dht: DHT
}

async function serve(name: string, initialPeers: string[]): Promise<Announced> {
  const http = createServer((_request, response) => response.end(`hello from ${name}`))
  await once(http.listen(0, '127.0.0.1'), 'listening')
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  const dht = await DHT.create({ initialPeers })

  // Renewed for as long as this process runs, and deleted when the DHT stops.
  await dht.publish(SERVICE, url, { subkey: name, ttl: TTL, goodbye: true }).held()
  console.log(`${name} listens on ${url}`)
  return { name, http, url, dht }
}

async function stop({ name, http, dht }: Announced): Promise<void> {
  await dht.stop()
  http.close()
  console.log(`${name} has stopped`)
}

/** Asks one server after the other until one answers. */
async function call(dht: DHT): Promise<string> {
  const found = await dht.get(SERVICE, { latest: true })
  const servers = found?.value instanceof Map ? [...found.value.values()] : []

  for (const { value: url } of servers) {
    try {
      const response = await fetch(String(url), { signal: AbortSignal.timeout(2000) })
      return await response.text()
    } catch {
      console.log(`${url} does not answer, trying the next`)
    }
  }

  throw new Error(`none of the ${servers.length} servers answered`)
}

const registry = await DHT.create()
const peers = registry.multiaddrs.map(String)
const one = await serve('one', peers)
const two = await serve('two', peers)
const client = await DHT.create({ initialPeers: peers, clientMode: true })

console.log(`the client hears: ${await call(client)}`)

// The first server dies. Its entry is still there, so the client tries the next one.
one.http.close()
one.http.closeAllConnections()
console.log(`the client hears: ${await call(client)}`)

await stop(one)
await stop(two)
await client.stop()
await registry.stop()
