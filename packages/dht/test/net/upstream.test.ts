import { readFile } from 'node:fs/promises'
import { EventTypes, kadDHT, MessageType } from '@libp2p/kad-dht'
import { noise } from '@libp2p/noise'
import { yamux } from '@libp2p/yamux'
import { DHT, getDHTTime, waggle } from '@waggle/dht'
import { encodeRecord, plainRecord, recordKey } from '@waggle/record'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { NO_PATH } from '../../src/kad/internals.ts'
import { mergingKadDHT } from '../../src/kad/merging-kad-dht.ts'
import {
  GET_VALUE_TYPE,
  PEER_RESPONSE_EVENT,
  PUT_VALUE_TYPE,
  QUERY_ERROR_EVENT
} from '../../src/kad/message-types.ts'
import { coalescingMuxer } from '../../src/node/coalescing-muxer.ts'
import { unfragmentedWrites } from '../../src/node/unfragmented-writes.ts'
import { connectionPair } from '../support/connection-pair.ts'
import {
  acquaint,
  basicServices,
  type DisposableNode,
  kadOf,
  knows,
  libp2pNode,
  PATIENCE
} from '../support/libp2p-node.ts'
import { heldBy, putAt } from '../support/replica.ts'
import { stockNode } from '../support/stock-node.ts'

/*
 * Assumptions about @libp2p/kad-dht. If one fails after an upgrade, kad-dht has changed: adapt src/kad, or remove
 * what it no longer needs, before you widen the pinned range.
 */

describe('kad-dht', () => {
  it('is of the version that the workspace pins', async () => {
    const manifest = new URL('../../node_modules/@libp2p/kad-dht/package.json', import.meta.url)
    const workspace = new URL('../../../../pnpm-workspace.yaml', import.meta.url)
    const { version } = JSON.parse(await readFile(manifest, 'utf8'))
    const range = /"@libp2p\/kad-dht": (.+)/.exec(await readFile(workspace, 'utf8'))?.[1]

    expect(range).toMatch(/^~16\.4\b/)
    expect(version).toMatch(/^16\.4\.\d+$/)
  })

  it('still overwrites a newer record with an older one: our datastore is needed (N2)', async () => {
    await using holder = await stockNode()
    await using writer = await stockNode()
    await acquaint(holder, writer)
    const expirationTime = getDHTTime() + 600
    const newer = plainRecord('newer', expirationTime)
    const older = plainRecord('older', expirationTime - 100)

    await putAt(holder, 'key', newer, writer)
    expect(await heldBy(holder, 'key', writer)).toEqual(newer)
    await putAt(holder, 'key', older, writer)
    expect(await heldBy(holder, 'key', writer)).toEqual(older)
  })

  it('still lets the writer overwrite its own newer record (N2)', async () => {
    await using writer = await stockNode()
    await using reader = await stockNode()
    await acquaint(writer, reader)
    const expirationTime = getDHTTime() + 600

    for (const ttl of [0, -100]) {
      const record = plainRecord(`ttl ${ttl}`, expirationTime + ttl)
      await writer.contentRouting.put(recordKey('key'), encodeRecord(record))
    }

    expect(await heldBy(writer, 'key', reader)).toEqual(
      plainRecord('ttl -100', expirationTime - 100)
    )
  })

  it('resets the stream of a peer that puts a record which the validator refuses', async () => {
    await using holder = await stockNode()
    await using writer = await stockNode()
    await acquaint(holder, writer)
    const expired = plainRecord('expired', getDHTTime() - 1)

    await expect(putAt(holder, 'key', expired, writer)).rejects.toMatchObject({
      name: 'StreamResetError'
    })
  })

  it('has the routing table that we use', async () => {
    await using a = await stockNode()
    await using b = await stockNode()
    const { routingTable } = kadOf(a)
    expect(routingTable.size).toBe(0)
    await acquaint(a, b)

    expect(routingTable.size).toBe(1)
    expect(routingTable.closestPeers(new Uint8Array(32), { count: 20 })).toEqual([b.peerId])
    expect(routingTable.closestPeers(new Uint8Array(32), { count: 0 })).toEqual([])
    expect(knows(a, b.peerId)).toBe(true)
  })

  it('has the values of its enums that a page has without it', () => {
    expect([GET_VALUE_TYPE, PUT_VALUE_TYPE]).toEqual([MessageType.GET_VALUE, MessageType.PUT_VALUE])
    expect([PEER_RESPONSE_EVENT, QUERY_ERROR_EVENT]).toEqual([
      EventTypes.PEER_RESPONSE,
      EventTypes.QUERY_ERROR
    ])
  })

  it('has the request to one peer that we use, which ends when its signal says so', async () => {
    await using a = await stockNode()
    await using b = await stockNode()
    await acquaint(a, b)
    const { network, protocol, getMode } = kadOf(a)

    expect(protocol).toBe('/waggle/kad/1.0.0')
    expect(getMode).toBeTypeOf('function')
    expect(await heldBy(b, 'nothing', a)).toBeUndefined()

    const message = { type: 'GET_VALUE' as never, key: recordKey('key') }
    const options = { path: NO_PATH, signal: AbortSignal.abort() }
    const names: string[] = []

    try {
      for await (const { name } of network.sendRequest(b.peerId, message, options)) {
        names.push(name)
      }
    } catch {
      names.push('thrown')
    }

    expect(['QUERY_ERROR', 'thrown']).toContain(names.at(-1))
  })

  it('may be built otherwise: nodes reach each other by their own protocols, and warn once', async () => {
    const warnings = overheardWarnings()
    const hidden = [
      ...['protocol', 'network', 'rpc', 'routingTable', 'querySelf', 'routingTableRefresh']
    ]
    const services = () => ({
      ...basicServices(),
      dht: mergingKadDHT((init) => (components) => without(kadDHT(init)(components), hidden), {}),
      waggle: waggle()
    })
    await using a = await libp2pNode(services())
    await using b = await libp2pNode(services())
    await using one = await DHT.create({ libp2p: a })
    await using other = await DHT.create({ libp2p: b, initialPeers: a.getMultiaddrs() })

    expect(await one.store('key', 'value', { ttl: 60 })).toBe(true)
    expect(await other.get('key', { latest: true })).toMatchObject({ value: 'value' })
    await expect.poll(() => warnings.of('@libp2p/kad-dht'), PATIENCE).toHaveLength(2)
  })
})

/*
 * Assumptions about the private parts of libp2p's encrypter and muxer. Connections without these parts work, too.
 */

describe('noise', () => {
  it('has the decoder that we replace', async () => {
    const warnings = overheardWarnings()
    await using pair = await connectionPair({ near: 'ours', far: 'plain' })
    expect(await pinged(pair.near, pair.far)).toBeGreaterThanOrEqual(0)
    expect(warnings.of('noise')).toEqual([])
  })

  it('may be built otherwise: it is used as it is, with one warning', async () => {
    const warnings = overheardWarnings()
    const encrypter = unfragmentedWrites((components: Parameters<ReturnType<typeof noise>>[0]) => {
      const inner = noise()(components)
      return {
        protocol: inner.protocol,
        secureInbound: async (...args: Parameters<typeof inner.secureInbound>) =>
          withoutDecoder(await inner.secureInbound(...args)),
        secureOutbound: async (...args: Parameters<typeof inner.secureOutbound>) =>
          withoutDecoder(await inner.secureOutbound(...args))
      }
    })
    await using near = await libp2pNode(basicServices(), { connectionEncrypters: [encrypter] })
    await using far = await libp2pNode(basicServices())
    await using third = await libp2pNode(basicServices())

    expect(await pinged(near, far)).toBeGreaterThanOrEqual(0)
    expect(await pinged(near, third)).toBeGreaterThanOrEqual(0)
    await expect.poll(() => warnings.of('libp2p-noise'), PATIENCE).toHaveLength(1)
  })
})

describe('yamux', () => {
  it('has the frames that we hold back', async () => {
    const warnings = overheardWarnings()
    const { protocol } = yamux()()
    expect(protocol).toBe('/yamux/1.0.0')
    await using pair = await connectionPair({ near: 'ours', far: 'plain' })
    expect(await pinged(pair.near, pair.far)).toBeGreaterThanOrEqual(0)
    expect(warnings.of('yamux')).toEqual([])
  })

  it('may be another muxer: it is used as it is, with one warning', async () => {
    const warnings = overheardWarnings()
    const foreign = (): ReturnType<ReturnType<typeof yamux>> => {
      const inner = yamux()()
      return {
        protocol: '/foreign/1.0.0',
        createStreamMuxer: (connection) => inner.createStreamMuxer(connection)
      }
    }
    const streamMuxers = [coalescingMuxer(foreign)]
    await using near = await libp2pNode(basicServices(), { streamMuxers })
    await using far = await libp2pNode(basicServices(), { streamMuxers: [foreign] })

    expect(await pinged(near, far)).toBeGreaterThanOrEqual(0)
    await expect.poll(() => warnings.of('libp2p-yamux'), PATIENCE).toHaveLength(1)
  })

  it('may run over a stream of another shape, which is used as it is', () => {
    const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const given: unknown[] = []
    const inner = {
      protocol: '/yamux/1.0.0',
      createStreamMuxer(connection: unknown) {
        given.push(connection)
        return {} as never
      }
    }
    const stream = { sink: () => {}, source: [] } as never
    const muxer = coalescingMuxer(() => inner)({})
    muxer.createStreamMuxer(stream)
    muxer.createStreamMuxer(stream)

    expect(given).toEqual([stream, stream])
    expect(warnings).toHaveBeenCalledTimes(1)
    warnings.mockRestore()
  })
})

async function pinged(from: DisposableNode, to: DisposableNode): Promise<number> {
  return from.services.ping.ping(to.getMultiaddrs())
}

/** Hides the private parts of an object. */
function without<T extends object>(target: T, hidden: readonly PropertyKey[]): T {
  return new Proxy(target, {
    get(_, name) {
      const member = hidden.includes(name) ? undefined : Reflect.get(target, name, target)
      const isMethod = typeof member === 'function' && !Object.hasOwn(target, name)
      return isMethod ? member.bind(target) : member
    }
  })
}

function withoutDecoder<S extends { readonly connection: object }>(secured: S): S {
  return { ...secured, connection: without(secured.connection, ['decoder']) }
}

/** Records the warnings of this process until the test ends. */
function overheardWarnings(): { of(library: string): string[] } {
  const messages: string[] = []
  const spy = vi.spyOn(process, 'emitWarning').mockImplementation((message) => {
    messages.push(String(message))
  })
  onTestFinished(() => spy.mockRestore())
  return { of: (library) => messages.filter((message) => message.includes(library)) }
}
