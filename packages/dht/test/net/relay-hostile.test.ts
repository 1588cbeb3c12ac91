import type { Connection, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { DHT } from '@waggle/dht'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { delimited, messagesUpTo } from '../../src/door/units.ts'
import { RELAYED_CONNECTION_MS } from '../../src/node/relay.ts'
import { MAX_CIRCUITS_PER_PEER } from '../../src/node/relay-budget.ts'
import { HOP_PROTOCOL, STOP_PROTOCOL } from '../../src/node/relay-guards.ts'
import { ByteWriter } from '../../src/wire/bytes.ts'
import {
  protobufFields,
  varintIn,
  writeBytesField,
  writeVarintField
} from '../../src/wire/protobuf.ts'
import { basicServices, type DisposableNode, libp2pNode, PATIENCE } from '../support/libp2p-node.ts'

const [RESERVE, CONNECT, STATUS] = [0, 1, 2]
const [OK, RESERVATION] = [100, 3]
const [LIMIT, DURATION] = [4, 1]
const EVERYWHERE = { runOnLimitedConnection: true, maxOutboundStreams: 100 }

function hop(type: number, parts: (writer: ByteWriter) => void = () => {}): Uint8Array {
  const writer = new ByteWriter()
  writeVarintField(writer, 1, type)
  parts(writer)
  return delimited(writer.take())
}

/** Resolves with the first message; undefined if the stream ends before. */
function firstMessage(stream: Stream): Promise<Uint8Array | undefined> {
  const { promise, resolve } = Promise.withResolvers<Uint8Array | undefined>()
  stream.addEventListener('close', () => resolve(undefined))

  // The stream may have been reset before this listener was added.
  if (stream.status !== 'open') {
    resolve(undefined)
  }

  stream.addEventListener('message', ({ data }) => {
    const bytes = data.subarray()
    const unit = messagesUpTo(8192)({ length: bytes.length, at: (i) => bytes[i] })
    resolve(unit && bytes.subarray(unit.headBytes, unit.headBytes + unit.bytes))
  })
  return promise
}

async function ask(connection: Connection, message: Uint8Array): Promise<Uint8Array | undefined> {
  const stream = await connection.newStream(HOP_PROTOCOL, EVERYWHERE)
  const answer = firstMessage(stream)
  stream.send(message)
  return answer
}

describe('a relay', () => {
  let relay: DHT

  beforeEach(async () => {
    relay = await DHT.create({ serveRelay: true })
  })

  afterEach(() => relay?.stop())

  it('forgets a node as soon as it leaves, and serves the next one (N13g)', async () => {
    const { reservations } = (
      relay.libp2p.services as unknown as {
        relayServer: { reservations: { size: number } }
      }
    ).relayServer

    for (let i = 0; i < 3; i++) {
      await using guest = await libp2pNode(basicServices())
      const connection = await guest.dial(relay.multiaddrs)
      const answer = await ask(connection, hop(RESERVE))
      expect(varintIn(answer ?? new Uint8Array(), 5)).toBe(OK)
      expect(reservations.size).toBe(1)
      await guest.stop()
      await vi.waitUntil(() => reservations.size === 0, PATIENCE)
    }
  })

  it('says in seconds how long a relayed connection may last (N13g)', async () => {
    await using guest = await libp2pNode(basicServices())
    const answer = await ask(await guest.dial(relay.multiaddrs), hop(RESERVE))
    const limit = [...protobufFields(answer ?? new Uint8Array())].find((f) => f.number === LIMIT)
    expect(varintIn(limit?.bytes ?? new Uint8Array(), DURATION)).toBe(RELAYED_CONNECTION_MS / 1000)
  })

  it('gives one peer a few relayed connections (N13g)', async () => {
    await using hidden = await DHT.create({ relay: true, initialPeers: relay.multiaddrs })
    await using guest = await libp2pNode(basicServices())
    const connection = await guest.dial(relay.multiaddrs)
    const connectTo = hop(CONNECT, (writer) => {
      const peer = new ByteWriter()
      writeBytesField(peer, 1, hidden.peerId.toMultihash().bytes)
      writeBytesField(writer, 2, peer.take())
    })
    const statuses: (number | undefined)[] = []

    for (let i = 0; i < MAX_CIRCUITS_PER_PEER + 2; i++) {
      const answer = await ask(connection, connectTo)
      statuses.push(answer && varintIn(answer, 5))
    }

    expect(statuses).toEqual([...new Array(MAX_CIRCUITS_PER_PEER).fill(OK), undefined, undefined])
  })
})

describe('a node that wants to be relayed', () => {
  let liar: DisposableNode
  let hidden: DHT

  beforeEach(async () => {
    liar = await libp2pNode(basicServices())
    hidden = await DHT.create({ relay: true, listenOn: '127.0.0.1:0', requireBootstrap: false })
  })

  afterEach(async () => {
    await hidden?.stop()
    await liar?.stop()
  })

  it('announces nothing that a lying relay says, but where it is connected to (N13g)', async () => {
    await liar.handle(HOP_PROTOCOL, (stream) => {
      const reservation = new ByteWriter()
      writeVarintField(reservation, 1, Math.round(Date.now() / 1000) + 600)

      for (let i = 0; i < 100; i++) {
        writeBytesField(reservation, 2, multiaddr(`/ip4/44.1.2.${i}/tcp/80`).bytes)
        writeBytesField(reservation, 2, multiaddr(`/ip4/127.0.0.1/tcp/${i + 1}`).bytes)
      }

      const bytes = reservation.take()
      stream.send(
        hop(STATUS, (writer) => {
          writeBytesField(writer, RESERVATION, bytes)
          writeVarintField(writer, 5, OK)
        })
      )
    })
    await liar.dial(hidden.multiaddrs)
    const relayed = () => hidden.multiaddrs.map(String).filter((a) => a.includes('p2p-circuit'))
    await vi.waitUntil(() => relayed().length > 0, PATIENCE)

    expect(relayed().length).toBeLessThanOrEqual(8)
    expect(relayed().filter((address) => !address.startsWith('/ip4/127.0.0.1/'))).toEqual([])
  })

  it('takes no relayed connections of a relay that it has not asked (N13g)', async () => {
    const connection = await liar.dial(hidden.multiaddrs)
    const stream = await connection.newStream(STOP_PROTOCOL, EVERYWHERE)
    const answer = firstMessage(stream)
    stream.send(hop(CONNECT - 1))
    expect(await answer).toBeUndefined()
  })

  it('dials nobody for a peer that is connected to it directly (N13f)', async () => {
    const connection = await liar.dial(hidden.multiaddrs)
    const stream = await connection.newStream('/libp2p/dcutr', EVERYWHERE)
    expect(await firstMessage(stream)).toBeUndefined()
  })
})

describe('a node that does not want to be relayed', () => {
  it('does not serve hole punching (N13f)', async () => {
    await using dht = await DHT.create()
    expect(dht.libp2p.getProtocols()).not.toContain('/libp2p/dcutr')
    await using node = await libp2pNode(basicServices())
    const connection = await node.dial(dht.multiaddrs)
    await expect(connection.newStream('/libp2p/dcutr', EVERYWHERE)).rejects.toThrow()
  })
})
