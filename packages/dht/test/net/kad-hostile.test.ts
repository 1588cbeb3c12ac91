import { randomBytes } from 'node:crypto'
import type { Connection, Stream } from '@libp2p/interface'
import { Record as Libp2pRecord } from '@libp2p/kad-dht'
import { multiaddr } from '@multiformats/multiaddr'
import { DHT } from '@waggle/dht'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DEFAULT_KAD_PROTOCOL } from '../../src/constants.ts'
import { delimited } from '../../src/door/units.ts'
import {
  ADD_PROVIDER,
  FIND_NODE,
  GET_PROVIDERS,
  PING,
  PUT_VALUE,
  writeKadMessage
} from '../../src/kad/kad-messages.ts'
import { ByteWriter } from '../../src/wire/bytes.ts'
import { writeBytesField, writeVarintField } from '../../src/wire/protobuf.ts'
import {
  acquaint,
  basicServices,
  type DisposableNode,
  kadOf,
  libp2pNode,
  PATIENCE
} from '../support/libp2p-node.ts'
import { stockNode } from '../support/stock-node.ts'

const ADDRESSES = 800

describe('kad-dht of a node', () => {
  let dht: DHT
  let bad: DisposableNode
  let connection: Connection

  beforeEach(async () => {
    dht = await DHT.create()
    bad = await libp2pNode(basicServices())
    connection = await bad.dial(dht.multiaddrs)
    await vi.waitUntil(() => dht.libp2p.getConnections(bad.peerId).length === 1, PATIENCE)
  })

  afterEach(async () => {
    await bad?.stop()
    await dht?.stop()
  })

  function open(): Promise<Stream> {
    return connection.newStream(DEFAULT_KAD_PROTOCOL, { maxOutboundStreams: 100 })
  }

  function message(type: number, key?: Uint8Array, record?: Uint8Array): Uint8Array {
    const parts = { key, record, clusterLevel: undefined, closer: [], providers: [] }
    return delimited(writeKadMessage({ type, ...parts }))
  }

  /** Sends bytes, and returns the length of the answer: 0 if the stream is reset. */
  async function answerTo(bytes: Uint8Array): Promise<number> {
    const stream = await open()
    const { promise, resolve } = Promise.withResolvers<number>()
    stream.addEventListener('message', ({ data }) => resolve(data.byteLength))
    stream.addEventListener('close', () => resolve(0))
    stream.send(bytes)
    return promise
  }

  it('answers what it serves, and resets the streams of peers that ask for more (N13c)', async () => {
    const cid = Buffer.concat([Uint8Array.of(1, 0x55, 0x12, 0x20), randomBytes(32)])
    const pk = Buffer.concat([Buffer.from('/pk/'), randomBytes(38)])
    const record = new Libp2pRecord(pk, randomBytes(40), new Date()).serialize()

    expect(await answerTo(message(PING))).toBeGreaterThan(0)
    expect(await answerTo(message(FIND_NODE, randomBytes(34)))).toBeGreaterThan(0)
    expect(await answerTo(message(GET_PROVIDERS, cid))).toBe(0)
    expect(await answerTo(message(ADD_PROVIDER, cid))).toBe(0)
    expect(await answerTo(message(PUT_VALUE, pk, record))).toBe(0)
    expect(dht.libp2p.getConnections(bad.peerId)).toHaveLength(1)
  })

  it('bans a peer that sends garbage again and again (N13d)', async () => {
    await vi.waitUntil(async () => {
      const stream = await open().catch(() => undefined)
      stream?.send(Buffer.concat([Uint8Array.of(50), randomBytes(50).fill(0xff)]))
      return dht.libp2p.getConnections(bad.peerId).length === 0
    }, PATIENCE)
    await expect(
      bad.dial(dht.multiaddrs).then((again) => again.newStream(DEFAULT_KAD_PROTOCOL))
    ).rejects.toThrow()
  })

  it('answers a stream with a thousand requests one after the other (N13a)', async () => {
    const stream = await open()
    let answers = 0
    stream.addEventListener('message', ({ data }) => {
      answers += data.byteLength
    })
    stream.send(Buffer.concat(new Array(1000).fill(message(PING))))
    await vi.waitUntil(() => answers === 3000, PATIENCE)
  })

  it('reads few addresses of a peer that a response names (N13b)', async () => {
    const writer = new ByteWriter()
    const named = await libp2pNode(basicServices())
    writeBytesField(writer, 1, named.peerId.toMultihash().bytes)

    for (let i = 0; i < ADDRESSES; i++) {
      writeBytesField(writer, 2, multiaddr(`/ip4/10.1.${i >> 8}.${i & 255}/tcp/1`).bytes)
    }

    await named.stop()
    const peer = writer.take()
    writeVarintField(writer, 1, FIND_NODE)
    writeBytesField(writer, 8, peer)
    const response = delimited(writer.take())
    await bad.handle(DEFAULT_KAD_PROTOCOL, (stream) => {
      stream.addEventListener('message', () => stream.send(response))
    })

    const key = randomBytes(34)
    const events = kadOf(dht.libp2p).network.sendRequest(
      bad.peerId,
      { type: 'FIND_NODE' as never, key },
      { path: { index: -1, queued: 0, running: 0, total: 0 } as never }
    )

    for await (const event of events) {
      if (event.name === 'QUERY_ERROR') {
        throw event.error
      }

      if (event.name === 'PEER_RESPONSE') {
        expect(event.closer.map(({ multiaddrs }) => multiaddrs.length)).toEqual([16])
        return
      }
    }

    expect.unreachable('there was no response')
  })

  it('is still understood by plain kad-dht peers, whose records and peers it serves (N1)', async () => {
    await using plain = await stockNode()
    await acquaint(plain, dht.libp2p)
    const nearest: unknown[] = []

    for await (const event of plain.services.dht.getClosestPeers(randomBytes(32))) {
      nearest.push(event)
    }

    expect(nearest.length).toBeGreaterThan(0)
  })
})
