import { type DHT, ownerTag, type StoreEntry, schemaValidator } from '@waggle/dht'
import { testnet } from '@waggle/dht/testnet'
import { z } from 'zod'

/*
 * What signatures and schemas cost where records travel: many keys of one length stored at once by one of two
 * nodes, which both hold them, and read by a third, that remembers nothing. Processor time of all three
 * together, in microseconds a key. Run it with
 * node --conditions=@waggle/source packages/bench/src/micro/owned-exchange.ts
 */

const KEYS = 4000
const ROUNDS = 5
const VALUE = 'bees '.repeat(20)

interface Row {
  readonly name: string
  readonly keyOf: (writer: DHT, i: number) => string
  readonly isStrict?: boolean
}

const rows: readonly Row[] = [
  { name: 'keys of nobody', keyOf: ({ peerId }, i) => `sensor/${i}/(owner:${peerId})` },
  { name: 'owned keys', keyOf: ({ peerId }, i) => `sensor/${i}/${ownerTag(peerId)}` },
  {
    name: 'keys with a zod schema',
    keyOf: ({ peerId }, i) => `sensor/${i}/(owner:${peerId})`,
    isStrict: true
  }
]

for (const row of rows) {
  const { store, get, again } = await measured(row)
  process.stdout.write(
    `${row.name.padEnd(24)} store ${store.toFixed(0).padStart(5)}   get ${get.toFixed(0).padStart(5)}   get again ${again.toFixed(0).padStart(5)}\n`
  )
}

async function measured({ keyOf, isStrict = false }: Row) {
  const schema = schemaValidator({ rules: [{ prefix: 'sensor/', value: z.string() }] })
  await using net = await testnet(2, { validators: isStrict ? [schema] : [] })
  const reader = await net.add({ clientMode: true, cache: false })
  const [writer] = net.nodes as [DHT]
  const stores: number[] = []
  const gets: number[] = []
  const again: number[] = []

  for (let round = 0; round < ROUNDS; round++) {
    const keys = Array.from({ length: KEYS }, (_, i) => keyOf(writer, round * KEYS + i))
    const entries = keys.map<StoreEntry>((key) => ({ key, value: VALUE, ttl: 600 }))
    stores.push(await cpuPerKey(async () => (await writer.storeMany(entries)).every(Boolean)))
    gets.push(await cpuPerKey(async () => (await reader.getMany(keys)).every(Boolean)))
    again.push(await cpuPerKey(async () => (await reader.getMany(keys)).every(Boolean)))
  }

  return { store: Math.min(...stores), get: Math.min(...gets), again: Math.min(...again) }
}

async function cpuPerKey(run: () => Promise<boolean>): Promise<number> {
  const before = process.cpuUsage()

  if (!(await run())) {
    throw new Error('some keys were not stored or not found')
  }

  const { user, system } = process.cpuUsage(before)
  return (user + system) / KEYS
}
