import { type DHT, ownerTag, type StoreEntry, schemaValidator } from '@waggle/dht'
import { testnet } from '@waggle/dht/testnet'
import { z } from 'zod'

/*
 * What signatures and schemas cost where records travel: many keys of one length stored at once by one of two
 * nodes, which both hold them, and read by a third, that caches nothing. In microseconds a key: the
 * processor time of all three nodes together, threads included, and the time that passes. Run it with
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
  for (const [call, { cpu, wall }] of Object.entries(await measured(row))) {
    const figures = [cpu, wall].map((figure) => figure.toFixed(0).padStart(6)).join('')
    process.stdout.write(`${row.name.padEnd(24)}${call.padEnd(10)}${figures}\n`)
  }
}

interface Figures {
  readonly cpu: number
  readonly wall: number
}

async function measured({ keyOf, isStrict = false }: Row): Promise<Record<string, Figures>> {
  const schema = schemaValidator({ rules: [{ prefix: 'sensor/', value: z.string() }] })
  await using net = await testnet(2, { validators: isStrict ? [schema] : [] })
  const reader = await net.add({ clientMode: true, cache: false })
  const [writer] = net.nodes as [DHT]
  const stores: Figures[] = []
  const gets: Figures[] = []
  const again: Figures[] = []

  for (let round = 0; round < ROUNDS; round++) {
    const keys = Array.from({ length: KEYS }, (_, i) => keyOf(writer, round * KEYS + i))
    const entries = keys.map<StoreEntry>((key) => ({ key, value: VALUE, ttl: 600 }))
    stores.push(await perKey(async () => (await writer.storeMany(entries)).every(Boolean)))
    gets.push(await perKey(async () => (await reader.getMany(keys)).every(Boolean)))
    again.push(await perKey(async () => (await reader.getMany(keys)).every(Boolean)))
  }

  return { store: least(stores), get: least(gets), 'get again': least(again) }
}

/** Others use this machine, too. */
function least(all: readonly Figures[]): Figures {
  return {
    cpu: Math.min(...all.map(({ cpu }) => cpu)),
    wall: Math.min(...all.map(({ wall }) => wall))
  }
}

async function perKey(run: () => Promise<boolean>): Promise<Figures> {
  const before = process.cpuUsage()
  const startMs = performance.now()

  if (!(await run())) {
    throw new Error('some keys were not stored or not found')
  }

  const { user, system } = process.cpuUsage(before)
  const elapsedMs = performance.now() - startMs
  return { cpu: (user + system) / KEYS, wall: (1000 * elapsedMs) / KEYS }
}
