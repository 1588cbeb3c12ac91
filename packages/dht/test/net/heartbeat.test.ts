import type { Connection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { DHT } from '@waggle/dht'
import { describe, expect, it } from 'vitest'
import { heartbeat } from '../../src/connections/heartbeat.ts'
import { busyFor } from '../support/busy-for.ts'
import {
  basicServices,
  libp2pNode,
  muxerOf,
  PATIENCE,
  tcpAddressOf
} from '../support/libp2p-node.ts'
import { type TCPGate, tcpGate } from '../support/tcp-gate.ts'

const INTERVAL_MS = 100
const SILENCE_MS = 500

describe('the heartbeat', { timeout: 60_000 }, () => {
  function pulsing(): ReturnType<typeof libp2pNode> {
    return libp2pNode({
      ...basicServices(),
      heartbeat: heartbeat({ intervalMs: INTERVAL_MS, silenceMs: SILENCE_MS })
    })
  }

  async function through(
    gate: TCPGate,
    node: Awaited<ReturnType<typeof pulsing>>
  ): Promise<Connection> {
    const [host, port] = gate.address.split(':')
    return node.dial(multiaddr(`/ip4/${host}/tcp/${port}`))
  }

  it('ends connections to peers that vanished, and keeps the others (N10j)', async () => {
    await using node = await pulsing()
    await using vanishing = await libp2pNode(basicServices())
    await using staying = await libp2pNode(basicServices())
    await using gate = await tcpGate(() => tcpAddressOf(vanishing))
    const dead = await through(gate, node)
    const live = await node.dial(staying.getMultiaddrs())
    await expect
      .poll(() => [dead.rtt, live.rtt], PATIENCE)
      .toEqual(Array(2).fill(expect.any(Number)))

    gate.cut()
    await expect.poll(() => dead.status, PATIENCE).not.toBe('open')
    expect(live.status).toBe('open')
  })

  it('ends no connection because this process was held up (N10j)', async () => {
    await using node = await pulsing()
    await using peer = await libp2pNode(basicServices())
    const connection = await node.dial(peer.getMultiaddrs())
    const muxer = muxerOf(connection)
    const ping = muxer.ping.bind(muxer)
    let pings = 0
    muxer.ping = () => {
      const answer = ping()
      pings++
      busyFor(2 * SILENCE_MS)
      return answer
    }

    await expect.poll(() => pings, PATIENCE).toBeGreaterThan(3)
    expect(connection.status).toBe('open')
  })

  it('leaves a node to the monitor of libp2p that its caller configures', async () => {
    await using node = await DHT.create()
    await using monitored = await DHT.create({
      libp2pOptions: { connectionMonitor: { pingInterval: 1000 } }
    })
    expect(Object.keys(node.libp2p.services)).toContain('heartbeat')
    expect(Object.keys(monitored.libp2p.services)).not.toContain('heartbeat')
  })
})
