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
    // The first row would include compilation.
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
  const times: [store: number, get: number, again: number][] = []

  for (let round = 0; round < rounds; round++) {
    const keys = Array.from({ length: count }, (_, i) => keyOf(writer, round * count + i))
    const entries = keys.map<StoreEntry>((key) => ({ key, value: VALUE, ttl: 600 }))
    const store = await cpuUs(() => writer.storeMany(entries))
    const get = await cpuUs(() => reader.getMany(keys))
    const again = await cpuUs(() => reader.getMany(keys))
    times.push([store / count, get / count, again / count])
  }

  // Other processes use the machine, too: the least time is nearest to the cost.
  const least = (i: 0 | 1 | 2) => Math.min(...times.map((each) => each[i]))
  return { name, store: least(0), get: least(1), again: least(2) }
}

async function cpuUs(run: () => Promise<readonly unknown[]>): Promise<number> {
  const { cpuMs, result } = await timed(run)

  if (!result.every(Boolean)) {
    throw new Error('some keys were not stored or not found')
  }

  return cpuMs * 1000
}
