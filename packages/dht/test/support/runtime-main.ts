/**
 * Uses a node in whatever runs this file: Node, a worker thread of it, Bun or Deno. Prints what it has seen as JSON.
 *
 *     node runtime-main.ts <address of a server> <directory for records>
 */
import { DHT, ownerTag } from '@waggle/dht'

const [address = '', dataDir = ''] = process.argv.slice(2)

async function use(): Promise<Record<string, unknown>> {
  const dht = await DHT.create({ initialPeers: address, dataDir })
  const stored = await dht.store('from a runtime', { list: [1, 'two', true] }, { ttl: 600 })
  const own = ownerTag(dht.peerId)
  const owned = await dht.store('table', 'mine', { subkey: own, ttl: 600 })
  const many = await dht.storeMany(
    Array.from({ length: 200 }, (_, i) => ({ key: `many ${i}`, value: i, ttl: 600 }))
  )
  const found = await dht.get('from a server', { latest: true })
  await dht.store('question', dataDir, { ttl: 600 })
  const answer = await firstAnswer(dht)
  await dht.stop()
  return { stored, owned, all: many.every(Boolean), found: found?.value, answer }
}

/** Waits for the server's answer. */
async function firstAnswer(dht: DHT): Promise<unknown> {
  for await (const { current } of dht.watch(dataDir)) {
    if (current !== undefined) {
      return current.value
    }
  }
}

/** Starts a node again on the same directory, without a network. */
async function restart(): Promise<Record<string, unknown>> {
  const dht = await DHT.create({ dataDir })
  const kept = await dht.get('many 199')
  await dht.stop()
  return { kept: kept?.value }
}

const report = JSON.stringify({ ...(await use()), ...(await restart()) })

// Deno does not end once sockets have been listened on, whatever became of them.
process.stdout.write(report, () => 'Deno' in globalThis && process.exit())
