import type { PeerId } from '@libp2p/interface'
import { BusyError, DHT, UnreachableError } from '@waggle/dht'
import { type Testnet, testnet } from '@waggle/dht/testnet'
import { encodeRecord, getDHTTime, ownerTag, plainRecord, subkeyRecord } from '@waggle/record'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  GATEWAY,
  GATEWAY_PROTOCOL,
  type GatewayMessage,
  type ReadAnswer,
  type WriteAnswer
} from '../../src/gateway/gateway-messages.ts'
import { ProtocolServer, type ServedProtocol } from '../../src/wire/protocol-server.ts'
import { UNHURRIED } from '../support/libp2p-node.ts'

const OPTIONS = { ...UNHURRIED, numReplicas: 3 }

/** The lies about each key. */
interface Lies {
  read: ReadAnswer
  write: WriteAnswer
}

const ABSENT: ReadAnswer = { state: 'absent', responded: 3 }
const HELD: WriteAnswer = { outcome: 'held', winner: undefined, replicas: [] }

function liar(lies: Lies): ServedProtocol<GatewayMessage> {
  return {
    id: GATEWAY_PROTOCOL,
    codec: GATEWAY,
    mayPass: true,
    serve: () => ({
      respond: (message) => ({
        keys: 1,
        reply: (function* (): Generator<undefined, GatewayMessage> {
          const { id } = message
          return message.name === 'read'
            ? { name: 'records', id, answers: message.keys.map(() => lies.read) }
            : { name: 'outcomes', id, answers: [lies.write] }
        })()
      })
    })
  }
}

describe('a gateway that lies', () => {
  const lies: Lies = { read: ABSENT, write: HELD }
  let net: Testnet
  let alone: DHT
  let both: DHT

  /** Starts a client that can dial only the first servers. The first one lies. */
  function clientOf(count: number): Promise<DHT> {
    const reachable = net.nodes.slice(0, count)
    const isReachable = (peer: PeerId): boolean =>
      reachable.some(({ peerId }) => peerId.equals(peer))
    return DHT.create({
      ...{ ...OPTIONS, cache: false, clientMode: true },
      initialPeers: reachable.flatMap(({ multiaddrs }) => multiaddrs),
      libp2pOptions: { connectionGater: { denyDialPeer: (peer) => !isReachable(peer) } }
    })
  }

  /** Finds a key that neither of the first two servers holds, so that a client needs gateways. */
  async function hidden(prefix: string): Promise<string> {
    for (let i = 0; ; i++) {
      const key = `${prefix} ${i}`
      const near = await (net.nodes[7] as DHT).findNearestPeers(key, { count: 3 })
      const names = [...near.map(String)]

      if (!net.nodes.slice(0, 2).some(({ peerId }) => names.includes(peerId.toString()))) {
        return key
      }
    }
  }

  beforeAll(async () => {
    net = await testnet(8, { ...OPTIONS })
    const [first] = net.nodes as [DHT]
    const server = new ProtocolServer()
    await first.libp2p.unhandle(GATEWAY_PROTOCOL)
    await first.libp2p.handle(GATEWAY_PROTOCOL, (stream, { remotePeer }) =>
      server.accept(liar(lies), stream, remotePeer)
    )
    alone = await clientOf(1)
    both = await clientOf(2)
  })

  beforeEach(() => {
    lies.read = ABSENT
    lies.write = HELD
  })

  afterAll(async () => {
    await Promise.all([alone?.stop(), both?.stop()])
    await net?.stop()
  })

  it('can hide a value only from a client that can dial no other gateway (N14)', async () => {
    const key = await hidden('hidden')
    await (net.nodes[7] as DHT).store(key, 'value', { ttl: 600 })

    expect(await alone.get(key)).toBeUndefined()
    expect((await both.get(key))?.value).toBe('value')
    expect((await both.get(key, { latest: true }))?.value).toBe('value')
  })

  it('can forge nothing in an owned place (N9a, N14)', async () => {
    const key = await hidden(`owned ${ownerTag((net.nodes[7] as DHT).peerId)}`)
    const forged = encodeRecord(plainRecord('forged', getDHTTime() + 600))
    lies.read = { state: 'held', responded: 3, record: forged }

    await expect(alone.get(key)).rejects.toThrow(UnreachableError)
    expect(await both.get(key)).toBeUndefined()
  })

  it('can bring back nothing that has expired, and send no garbage (N9a, N14)', async () => {
    const key = await hidden('stale')
    const past = encodeRecord(plainRecord('past', getDHTTime() - 1))

    for (const record of [past, Uint8Array.of(255), new Uint8Array(0)]) {
      lies.read = { state: 'held', responded: 3, record }
      await expect(alone.get(key)).rejects.toThrow(UnreachableError)
    }
  })

  it('cannot say that nothing is there in the name of nobody (N11a, N14)', async () => {
    lies.read = { state: 'absent', responded: 0 }
    await expect(alone.get(await hidden('nobody'))).rejects.toThrow(UnreachableError)
  })

  it('that reaches too few replicas leaves it unknown that nothing is there (N11a, N14)', async () => {
    lies.read = { state: 'unreachable', responded: 1, failed: 2 }
    const key = await hidden('unreachable')

    for (const latest of [false, true]) {
      await expect(both.get(key, { latest })).rejects.toThrow(UnreachableError)
    }
  })

  it('that sends another subkey than it was asked for gives no answer (N14)', async () => {
    const key = await hidden('subkeys')
    await (net.nodes[7] as DHT).store(key, 'value', { subkey: 'wanted', ttl: 600 })
    const other = encodeRecord(subkeyRecord('other', 'value', getDHTTime() + 600))
    lies.read = { state: 'held', responded: 3, record: other }

    expect((await both.get(key, { subkey: 'wanted' }))?.value).toBe('value')
    await expect(alone.get(key, { subkey: 'wanted' })).rejects.toThrow(UnreachableError)
  })

  it('cannot beat a write without a proof (N6, N14)', async () => {
    const key = await hidden('unbeaten')
    const earlier = encodeRecord(plainRecord('earlier', getDHTTime() + 60))

    for (const winner of [undefined, earlier, Uint8Array.of(255)]) {
      lies.write = { outcome: 'beaten', winner, replicas: [] }
      const { outcome } = await both.store(key, 'later', { ttl: 600, report: true })
      expect(outcome).toBe('held')
    }

    expect((await both.get(key))?.value).toBe('later')
  })

  it('may name replicas that are no peers (N14)', async () => {
    const replicas = [{ id: Uint8Array.of(1, 2, 3), outcome: 'accepted' as const }]
    lies.write = { outcome: 'held', winner: undefined, replicas }
    const report = alone.store(await hidden('named'), 'value', { ttl: 600, report: true })
    await expect(report).resolves.toMatchObject({ outcome: 'held' })
  })

  it('that is busy makes a client say so (N14)', async () => {
    lies.read = { state: 'busy' }
    await expect(alone.get(await hidden('busy'))).rejects.toThrow(BusyError)
  })
})
