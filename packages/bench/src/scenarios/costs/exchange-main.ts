/**
 * What signatures and schemas cost where records travel: many keys of one length stored at once by one of two
 * nodes, which both hold them, and read by a third, that caches nothing.
 */
import { type DHT, ownerTag, type StoreEntry, schemaValidator } from '@waggle/dht'
import { testnet } from '@waggle/dht/testnet'
import { z } from 'zod'
import { answerCalls } from '../../calls/answer-calls.ts'

export interface ExchangeCalls {
  measure(load: ExchangeLoad): Promise<ExchangeFigure[]>
}

export interface ExchangeLoad {
  readonly keys: number
  readonly rounds: number
}

/** Microseconds a key: the processor time of all three nodes together, threads included. */
export interface ExchangeFigure {
  readonly name: string
  readonly store: number
  readonly get: number
  readonly again: number
}

interface Row {
  readonly name: string
  readonly keyOf: (writer: DHT, i: number) => string
  readonly isStrict?: boolean
}

const VALUE = 'bees '.repeat(20)

const ROWS: readonly Row[] = [
  { name: 'keys of nobody', keyOf: ({ peerId }, i) => `sensor/${i}/(owner:${peerId})` },
  {
    name: 'the same, with a zod schema',
    keyOf: ({ peerId }, i) => `sensor/${i}/(owner:${peerId})`,
    isStrict: true
  },
  { name: 'owned keys, as long', keyOf: ({ peerId }, i) => `sensor/${i}/${ownerTag(peerId)}` }
]

answerCalls<ExchangeCalls>({
  async measure(load) {
    const figures: ExchangeFigure[] = []

    // What comes first would pay for the compiler.
    for (const row of ROWS) {
      await measured(row, { ...load, rounds: 1 })
    }

    for (const row of ROWS) {
      figures.push({ name: row.name, ...(await measured(row, load)) })
    }

    return figures
  }
})

async function measured(
  { keyOf, isStrict = false }: Row,
  { keys: count, rounds }: ExchangeLoad
): Promise<Omit<ExchangeFigure, 'name'>> {
  const schema = schemaValidator({ rules: [{ prefix: 'sensor/', value: z.string() }] })
  await using net = await testnet(2, { validators: isStrict ? [schema] : [] })
  const reader = await net.add({ clientMode: true, cache: false })
  const [writer] = net.nodes as [DHT]
  const figures = { store: [] as number[], get: [] as number[], again: [] as number[] }
  const read = async (keys: readonly string[]) => (await reader.getMany(keys)).every(Boolean)

  for (let round = 0; round < rounds; round++) {
    const keys = Array.from({ length: count }, (_, i) => keyOf(writer, round * count + i))
    const entries = keys.map<StoreEntry>((key) => ({ key, value: VALUE, ttl: 600 }))
    const store = async () => (await writer.storeMany(entries)).every(Boolean)
    figures.store.push((await cpuUs(store)) / count)
    figures.get.push((await cpuUs(() => read(keys))) / count)
    figures.again.push((await cpuUs(() => read(keys))) / count)
  }

  // Others use this machine, too: the least is nearest to what it takes.
  return {
    store: Math.min(...figures.store),
    get: Math.min(...figures.get),
    again: Math.min(...figures.again)
  }
}

async function cpuUs(run: () => Promise<boolean>): Promise<number> {
  const before = process.cpuUsage()

  if (!(await run())) {
    throw new Error('some keys were not stored or not found')
  }

  const { user, system } = process.cpuUsage(before)
  return user + system
}
