import type { Connection, StreamMuxer } from '@libp2p/interface'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { DHT } from '@waggle/dht'
import { describe, expect, it, vi } from 'vitest'
import { ping } from '../../src/connections/ping.ts'
import { overriding } from '../../src/door/overriding.ts'
import {
  basicServices,
  libp2pNode,
  muxerOf,
  PATIENCE,
  tcpAddressOf
} from '../support/libp2p-node.ts'
import { tcpGate } from '../support/tcp-gate.ts'

function withoutPing(muxer: StreamMuxer): StreamMuxer {
  const overrides: object = { ping: undefined }
  return overriding(muxer, overrides)
}

describe('ping', { timeout: 60_000 }, () => {
  const { signal } = new AbortController()

  it('takes a round trip, and no stream', async () => {
    await using node = await libp2pNode(basicServices())
    await using peer = await libp2pNode(basicServices())
    const connection = await node.dial(peer.getMultiaddrs())
    const newStream = vi.spyOn(connection, 'newStream')
    await ping(connection, signal)
    expect(connection.rtt).toBeGreaterThan(0)
    expect(newStream).not.toHaveBeenCalled()
  })

  it('opens a stream where the muxer has no pings, and takes a refusal for an answer', async () => {
    await using node = await libp2pNode(basicServices(), {
      streamMuxers: [
        () => {
          const inner = yamux()()
          return {
            protocol: inner.protocol,
            createStreamMuxer: (connection) => withoutPing(inner.createStreamMuxer(connection))
          }
        }
      ]
    })
    await using peer = await libp2pNode(basicServices())
    await using mute = await libp2pNode({})
    const [one, other] = await Promise.all(
      [peer, mute].map((each) => node.dial(each.getMultiaddrs()))
    )
    await ping(one as Connection, signal)
    await ping(other as Connection, signal)
    expect(one?.rtt).toBeGreaterThan(0)
  })

  it('is answered after the question, though one before it was given up (N8l)', async () => {
    await using node = await libp2pNode(basicServices())
    await using peer = await libp2pNode(basicServices())
    const connection = await node.dial(peer.getMultiaddrs())
    const muxer = muxerOf(connection)
    const sent = vi.spyOn(muxer, 'ping')
    const impatient = new AbortController()
    const givenUp = ping(connection, impatient.signal)
    const later = ping(connection, signal)
    impatient.abort(new Error('given up'))
    await expect(givenUp).rejects.toThrow('given up')
    await later
    expect(sent).toHaveBeenCalledTimes(2)
    await ping(connection, signal)
    expect(connection.status).toBe('open')
  })

  it('rejects when the connection ends', async () => {
    await using node = await libp2pNode(basicServices())
    await using peer = await libp2pNode(basicServices())
    await using gate = await tcpGate(() => tcpAddressOf(peer))
    const [host, port] = gate.address.split(':')
    const connection = await node.dial(multiaddr(`/ip4/${host}/tcp/${port}`))
    gate.cut()
    const sent = vi.spyOn(muxerOf(connection), 'ping')
    const unanswered = ping(connection, signal)
    await vi.waitFor(() => expect(sent).toHaveBeenCalled())
    connection.abort(new Error('the peer is gone'))
    await expect(unanswered).rejects.toThrow('the connection has ended')
  })

  it('rejects on a connection that has ended without a word', async () => {
    await using node = await DHT.create()
    await using peer = await libp2pNode(basicServices())
    await using gate = await tcpGate(() => tcpAddressOf(peer))
    const [host, port] = gate.address.split(':')
    const connection = await node.libp2p.dial(multiaddr(`/ip4/${host}/tcp/${port}`))
    gate.break()
    await expect.poll(() => connection.status, PATIENCE).not.toBe('open')
    await expect(ping(connection, signal)).rejects.toThrow('the connection has ended')
  })
})
