import { readFileSync } from 'node:fs'
import process from 'node:process'
import type { PeerId } from '@libp2p/interface'
import type { Ping } from '@libp2p/ping'
import { DHT, type DHTOptions } from '@waggle/dht'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PeerProcess } from '../support/peer-process.ts'
import { FLOODS, Flooder, VOCABULARIES } from './floods.ts'

const MIB = 2 ** 20
const { WAGGLE_LONG } = process.env
const isLong = WAGGLE_LONG === '1'
const FLOOD_MS = isLong ? 5000 : 400

/** Milliseconds of a turn of the event loop, whatever one peer sends. */
const MAX_TURN_MS = 50

/** Milliseconds of a wait for an answer, on a busy machine. */
const MAX_CALL_MS = 2000

/** Bytes that all peers' messages may take by default, uncollected garbage included. */
const MAX_MORE_BYTES: number = (256 + 128) * MIB

/** Nodes that together serve every protocol of ours. */
const VICTIMS: readonly [string, DHTOptions][] = [
  ['a relay', { serveRelay: true }],
  [
    'a node that wants to be relayed',
    { relay: true, listenOn: '127.0.0.1:0', requireBootstrap: false }
  ]
]

describe.each(VICTIMS)('every protocol that %s serves', (_, options) => {
  let victim: PeerProcess
  let honest: DHT
  let served: readonly string[]

  beforeAll(async () => {
    await using relay = await DHT.create({ serveRelay: true })
    victim = await PeerProcess.start({ ...options, initialPeers: relay.multiaddrs.map(String) })
    served = await victim.protocols()
    honest = await DHT.create({
      clientMode: true,
      initialPeers: [...victim.multiaddrs],
      cache: false,
      requireBootstrap: false
    })
  })

  afterAll(async () => {
    await honest?.stop()
    await victim?.[Symbol.asyncDispose]()
  })

  it('is known to these tests (N13)', () => {
    expect(served.length).toBeGreaterThan(3)
    expect(served.filter((protocol) => VOCABULARIES[protocol] === undefined)).toEqual([])
  })

  it.each(Object.keys(FLOODS))(
    'takes %s without keeping the event loop, or more memory than it may (N13a, N13b)',
    async (kind) => {
      for (const protocol of served) {
        await flooded(kind, protocol)
      }
    },
    120_000
  )

  async function flooded(kind: string, protocol: string): Promise<void> {
    const beforeBytes = residentBytes()
    await victim.longestTurnMs()
    await using flooder = await Flooder.start(victim.multiaddrs, FLOOD_MS)
    const honestCalls = callsUntil(flooder.signal)
    await FLOODS[kind]?.(flooder, protocol)
    const what = `${kind} to ${protocol}`

    expect(flooder.tried, what).toBeGreaterThan(0)
    expect(await victim.longestTurnMs(), what).toBeLessThan(MAX_TURN_MS)
    expect(residentBytes() - beforeBytes, what).toBeLessThan(MAX_MORE_BYTES)
    await honestCalls
  }

  /**
   * Calls as another peer until the signal is aborted, and checks that each answer is quick enough.
   */
  async function callsUntil(signal: AbortSignal): Promise<void> {
    const { ping } = honest.libp2p.services as { ping: Ping }
    const [connection] = honest.libp2p.getConnections()

    while (!signal.aborted) {
      const options = { signal: AbortSignal.timeout(MAX_CALL_MS) }
      await ping.ping(connection?.remotePeer as PeerId, options)
    }
  }

  function residentBytes(): number {
    const status = readFileSync(`/proc/${victim.pid}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024
  }
})
