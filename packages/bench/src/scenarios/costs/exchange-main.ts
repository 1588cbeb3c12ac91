// Costs of signatures and schemas where records travel: one of two nodes, which both hold every record, stores
// many keys of one length at once, and a third one without a cache reads them.
import { type DHT, ownerTag, type StoreEntry, schemaValidator } from '@waggle/dht'
import { testnet } from '@waggle/dht/testnet'
import { z } from 'zod'
import { serve } from '../../processes/serve.ts'
import { timed } from '../../processes/usage.ts'

interface Load {
  readonly keys: number
  readonly rounds: number
}

type Row = readonly [name: string, keyOf: (writer: DHT, i: number) => string, isStrict: boolean]

const VALUE = 'bees '.repeat(20)
const unowned = ({ peerId }: DHT, i: number): string => `sensor/${i}/(owner:${peerId})`

const ROWS: readonly Row[] = [
  ['unowned keys', unowned, false],
  ['unowned keys, with a zod schema', unowned, true],
  ['owned keys of the same length', ({ peerId }, i) => `sensor/${i}/${ownerTag(peerId)}`, false]
]

const handlers = {
  /** Resolves with microseconds of processor time per key, of all three nodes together. */
  async measure(load: Load) {
    // The first row would pay for the compiler.
    for (const row of ROWS) {
      await measure(row, { ...load, rounds: 1 })
    }

    return Array.fromAsync(ROWS, (row) => measure(row, load))
  }
}

export type ExchangeHandlers = typeof handlers

serve(handlers)

async function measure([name, keyOf, isStrict]: Row, { keys: count, rounds }: Load) {
  const schema = schemaValidator({ rules: [{ prefix: 'sensor/', value: z.string() }] })
  await using net = await testnet(2, { validators: isStrict ? [schema] : [] })
  const reader = await net.add({ clientMode: true, cache: false })
  const [writer] = net.nodes as [DHT]
  const figures = { store: [] as number[], get: [] as number[], again: [] as number[] }

  for (let round = 0; round < rounds; round++) {
    const keys = Array.from({ length: count }, (_, i) => keyOf(writer, round * count + i))
    const entries = keys.map<StoreEntry>((key) => ({ key, value: VALUE, ttl: 600 }))
    figures.store.push((await cpuUs(() => writer.storeMany(entries))) / count)
    figures.get.push((await cpuUs(() => reader.getMany(keys))) / count)
    figures.again.push((await cpuUs(() => reader.getMany(keys))) / count)
  }

  // Other processes use the machine, too: the least time is the nearest to the cost.
  return {
    name,
    store: Math.min(...figures.store),
    get: Math.min(...figures.get),
    again: Math.min(...figures.again)
  }
}

async function cpuUs(run: () => Promise<readonly unknown[]>): Promise<number> {
  const { cpuMs, result } = await timed(run)

  if (!result.every(Boolean)) {
    throw new Error('some keys were not stored or not found')
  }

  return cpuMs * 1000
}
