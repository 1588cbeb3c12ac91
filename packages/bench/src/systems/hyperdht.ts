import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import HyperDHT, { type KeyPair } from 'hyperdht'
import { until } from '../processes/until.ts'
import type { Client, Node, Place, System } from './system.ts'

/** Store and get of one of HyperDHT's two kinds of values. */
type Dictionary = (dht: HyperDHT) => Omit<Client, keyof Node>

/** A value belongs to a key pair and is signed; it can be replaced. */
export const mutable: System = systemOf((dht) => {
  const find = async (key: string, latest: boolean): Promise<Uint8Array | undefined> =>
    (await dht.mutableGet(keyPairOf(key).publicKey, { latest }))?.value

  return {
    prepare: (key) => void keyPairOf(key),
    async store(key, value) {
      const { closestNodes } = await dht.mutablePut(keyPairOf(key), Buffer.from(value))
      return closestNodes.length > 0
    },
    get: (key) => find(key, false),
    latest: (key) => find(key, true)
  }
})

/** A value is found by its own hash, which a reader knows. */
export const immutable: System = systemOf((dht) => ({
  prepare: (key, value) => void hashes.set(key, HyperDHT.hash(Buffer.from(value))),
  async store(_key, value) {
    const { closestNodes } = await dht.immutablePut(Buffer.from(value))
    return closestNodes.length > 0
  },
  async get(key) {
    return (await dht.immutableGet(hashes.get(key) ?? Buffer.alloc(0)))?.value
  }
}))

/** Hashes and key pairs of the scenarios' keys: an application has them before it stores or gets. */
const hashes = new Map<string, Buffer>()
const keyPairs = new Map<string, KeyPair>()

function keyPairOf(key: string): KeyPair {
  const keyPair = keyPairs.get(key) ?? HyperDHT.keyPair(HyperDHT.hash(Buffer.from(key)))
  keyPairs.set(key, keyPair)
  return keyPair
}

function systemOf(dictionary: Dictionary): System {
  return {
    async startServer(place) {
      const dht = await startNode(place, { isServer: true })
      const address = `${place.host}:${dht.address().port}`
      return { settle: (servers) => settle(dht, servers - 1), address }
    },
    async startClient(place) {
      const dht = await startNode(place, { isServer: false })
      return { settle: (servers) => settle(dht, servers), ...dictionary(dht) }
    }
  }
}

/**
 * Starts a node. The first one is HyperDHT's bootstrapper; other servers are told that they have no firewall, as in
 * its own test network.
 */
async function startNode(
  { host, bootstrap }: Place,
  { isServer }: { isServer: boolean }
): Promise<HyperDHT> {
  const firewall = isServer ? { firewalled: false } : {}
  const dht =
    bootstrap.length === 0
      ? HyperDHT.bootstrapper(await freePort(host), host, { host })
      : new HyperDHT({ host, bootstrap: [...bootstrap], ephemeral: !isServer, ...firewall })
  await dht.fullyBootstrapped()
  return dht
}

/** A bootstrapper must know its port in advance. */
async function freePort(host: string): Promise<number> {
  const socket = createSocket('udp4').bind(0, host)
  await once(socket, 'listening')
  const { port } = socket.address()
  await new Promise<void>((resolve) => socket.close(resolve))
  return port
}

/** Looks up the node's own neighbourhood, so that it and its neighbours know each other. */
async function settle(dht: HyperDHT, others: number): Promise<void> {
  await until(`${others} nodes are known`, async () => {
    await dht.findNode(dht.table.id).finished()
    return dht.toArray().length >= others
  })
}
