/**
 * Lists the servers of a Petals swarm and the blocks of each model that they serve: first the models, then one key
 * for each block. Start it with addresses of the swarm's peers. Without any it starts a small swarm of its own.
 */
import { float, HivemindDHT, type HivemindFound, type HivemindValue, tuple } from '@waggle/hivemind'

const MODELS = '_petals.models'
const STATES = ['offline', 'joining', 'online']

interface Block {
  readonly block: number
  readonly peer: string
  readonly state: string
  readonly throughput: number
}

/** The entries of a dictionary; of anything else, none. */
function entriesOf(found: HivemindFound | undefined): (readonly [string, HivemindValue])[] {
  return found?.isDictionary === true
    ? Array.from(found.value, ([subkey, { value }]) => [String(subkey), value] as const)
    : []
}

/** Each model's prefix, and how many blocks it has. */
async function models(dht: HivemindDHT): Promise<(readonly [string, number])[]> {
  return entriesOf(await dht.get(MODELS, { latest: true })).map(([prefix, about]) => {
    const { num_blocks: blocks } = Object(about)
    return [prefix, Number(blocks)] as const
  })
}

/** All that is announced about a model's blocks. */
async function blocksOf(dht: HivemindDHT, prefix: string, count: number): Promise<Block[]> {
  const keys = Array.from({ length: count }, (_, block) => `${prefix}.${block}`)
  const found = await dht.getMany(keys, { latest: true })
  return found.flatMap((one, block) =>
    entriesOf(one).flatMap(([peer, announced]) => {
      const [state, throughput] = Array.isArray(announced) ? announced : []
      const isAnnounced = typeof state === 'number' && typeof throughput === 'number'
      return isAnnounced ? [{ block, peer, state: STATES[state] ?? 'unknown', throughput }] : []
    })
  )
}

async function list(dht: HivemindDHT): Promise<void> {
  for (const [prefix, count] of await models(dht)) {
    const blocks = await blocksOf(dht, prefix, count)
    const servers = Map.groupBy(blocks, ({ peer }) => peer)
    console.log(`${prefix}: ${count} blocks, ${servers.size} servers`)

    for (const [peer, served] of servers) {
      const { state, throughput } = served[0] as Block
      const numbers = served.map(({ block }) => block).join(', ')
      console.log(`  ${peer}: ${state}, ${throughput} tokens/s, blocks ${numbers}`)
    }
  }
}

/** Announces blocks as a server of Petals does. */
async function announce(
  dht: HivemindDHT,
  prefix: string,
  blocks: readonly number[]
): Promise<void> {
  const subkey = dht.peerId.toString()
  const value = tuple(2, float(12), { version: '2.3.0', adapters: tuple() })
  await dht.store(MODELS, { num_blocks: 4, repository: null }, { subkey: prefix, ttl: 120 })
  await dht.storeMany(
    blocks.map((block) => ({ key: `${prefix}.${block}`, value, subkey })),
    { ttl: 120 }
  )
}

const given = process.argv.slice(2)
const swarm: HivemindDHT[] = []

if (given.length === 0) {
  swarm.push(await HivemindDHT.create())
  swarm.push(await HivemindDHT.create({ initialPeers: swarm[0]?.multiaddrs }))
  await announce(swarm[0] as HivemindDHT, 'tiny-llama', [0, 1, 2])
  await announce(swarm[1] as HivemindDHT, 'tiny-llama', [2, 3])
}

const initialPeers = given.length === 0 ? swarm[0]?.multiaddrs : given
const dht = await HivemindDHT.create({ initialPeers, clientMode: true })
await list(dht)
await dht.stop()
await Promise.all(swarm.map((node) => node.stop()))
