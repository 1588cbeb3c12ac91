import { isEmpty, plainRecord, recordKey } from '@waggle/record'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hasQuorum, type NearServer } from '../../src/lookup/quorum.ts'
import { ACTIVE } from '../support/cancellation.ts'
import { law } from '../support/effort.ts'
import { Simulation, type SimulationOptions, START } from '../support/simulated-replicas.ts'

const KEY = recordKey('key')
const RECORD = plainRecord('a value', START + 100)
const MAX_SIZE = 20
const LAW = law(300)

interface Scene {
  readonly options: SimulationOptions & { readonly numReplicas: number }
  readonly isServer: boolean
  readonly isLatest: boolean

  /** One decision for each rank. */
  readonly chances: readonly boolean[]
}

const scene: fc.Arbitrary<Scene> = fc
  .record({
    size: fc.integer({ min: 1, max: MAX_SIZE }),
    rank: fc.nat(MAX_SIZE),
    numReplicas: fc.integer({ min: 1, max: 6 }),
    isServer: fc.boolean(),
    isLatest: fc.boolean(),
    isPlain: fc.boolean(),
    chances: fc.array(fc.boolean(), { minLength: MAX_SIZE, maxLength: MAX_SIZE })
  })
  .map(({ size, rank, numReplicas, isServer, isLatest, isPlain, chances }) => ({
    options: {
      ...{ size, numReplicas, isPlain, selfRank: rank % size },
      isReplica: () => isServer
    },
    ...{ isServer, isLatest, chances }
  }))

type Result = 'found' | 'absent' | 'unreachable'

async function read(net: Simulation, latest: boolean): Promise<Result> {
  try {
    const { record } = await net.replicas.read(KEY, { cancellation: ACTIVE, latest })
    return isEmpty(record) ? 'absent' : 'found'
  } catch (error) {
    expect(error).toMatchObject({ name: 'UnreachableError' })
    return 'unreachable'
  }
}

/** Lists all peers without this node. */
function others({ peers, self }: Simulation): Simulation['peers'] {
  return peers.filter((peer) => peer !== self)
}

/** Lists the servers that could hold the key, nearest first. */
function servers(net: Simulation, { isServer }: Scene): Simulation['peers'] {
  return isServer ? net.peers : others(net)
}

function silence(peers: Simulation['peers']): void {
  for (const peer of peers) {
    peer.fails = 'always'
  }
}

describe('reads', () => {
  it('never take a key for absent that servers hold, whichever of them can be reached (N11a)', async () => {
    await fc.assert(
      fc.asyncProperty(scene, async (scene) => {
        const net = new Simulation(KEY, scene.options)
        const holders = servers(net, scene).slice(0, scene.options.numReplicas)

        for (const { store } of holders) {
          store.apply(KEY, RECORD)
        }

        silence(others(net).filter((_, i) => scene.chances[i]))

        const isFound = holders.some((peer) => peer === net.self || peer.fails === 'never')
        expect(await read(net, scene.isLatest)).toBe(isFound ? 'found' : 'unreachable')
      }),
      LAW
    )
  })

  it('take a key for absent in networks of any size where all answer (N11a)', async () => {
    await fc.assert(
      fc.asyncProperty(scene, async (scene) => {
        const net = new Simulation(KEY, scene.options)
        const isAlone = servers(net, scene).length === 0
        expect(await read(net, scene.isLatest)).toBe(isAlone ? 'unreachable' : 'absent')
      }),
      LAW
    )
  })

  it('do not count servers that have left, though this node still knows them (N11a)', async () => {
    await fc.assert(
      fc.asyncProperty(scene, async (scene) => {
        const net = new Simulation(KEY, { ...scene.options, isPlain: false })
        const [first, ...rest] = others(net)

        const left = rest.filter((_, i) => scene.chances[i])
        silence(left)

        for (const peer of left) {
          peer.hasLeft = true
        }

        expect(await read(net, scene.isLatest)).toBe(
          first === undefined && !scene.isServer ? 'unreachable' : 'absent'
        )
      }),
      LAW
    )
  })

  it('do not count peers for ever that plain kad-dht peers go on naming (N11a)', async () => {
    await fc.assert(
      fc.asyncProperty(scene, async (scene) => {
        const net = new Simulation(KEY, { ...scene.options, isPlain: true, isReplica: () => false })
        const [first, ...rest] = others(net)

        const left = rest.filter((_, i) => scene.chances[i])
        silence(left)

        for (const { id } of left) {
          net.silentForLong.add(id.toString())
        }

        expect(await read(net, scene.isLatest)).toBe(first === undefined ? 'unreachable' : 'absent')
      }),
      LAW
    )
  })

  it('take a key for absent when less than half of the nearest do not answer (N8b, N11a)', async () => {
    await fc.assert(
      fc.asyncProperty(scene, async (scene) => {
        const net = new Simulation(KEY, scene.options)
        const nearest = servers(net, scene).slice(0, scene.options.numReplicas)
        const silent = nearest.filter((peer) => peer !== net.self)

        silence(silent.slice(0, Math.ceil(nearest.length / 2) - 1))

        expect(await read(net, scene.isLatest)).toBe(
          nearest.length === 0 ? 'unreachable' : 'absent'
        )
      }),
      LAW
    )
  })
})

describe('hasQuorum', () => {
  const server = (name: string, named: readonly string[]): NearServer => ({
    ...{ name, hasResponded: true, named: new Set(named) }
  })
  const silent = (name: string): NearServer => ({
    ...{ name, hasResponded: false }
  })

  it('believes no single liar among three that a nearer server is there (N9h, N11a)', () => {
    const made = ['x', 'y', 'z']
    const honest = ['a', 'b', 'liar']
    const servers = [
      ...made.map(silent),
      ...[server('a', honest), server('liar', made), server('b', honest)]
    ]
    expect(hasQuorum(servers, 5)).toBe(true)
  })

  it('believes the half of two', () => {
    const servers = [silent('x'), server('a', ['x']), server('b', [])]
    expect(hasQuorum(servers, 1)).toBe(false)
    expect(hasQuorum(servers, 3)).toBe(true)
  })

  it('knows nothing of a network of which nobody responded', () => {
    expect(hasQuorum([], 5)).toBe(false)
    expect(hasQuorum([silent('a')], 5)).toBe(false)
  })
})
