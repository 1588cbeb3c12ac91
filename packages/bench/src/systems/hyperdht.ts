import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import HyperDHT, { type KeyPair } from 'hyperdht'
import { until } from '../workload/until.ts'
import type { Client, Node, Place, Server, System } from './system.ts'

/** How one of HyperDHT's two kinds of values is stored and found. */
type Dictionary = (dht: HyperDHT) => Omit<Client, keyof Node>

/** A value belongs to a key pair, and is signed: it may be replaced. */
export const mutable: System = systemOf(mutableDictionary)

/** A value is found by its own hash. */
export const immutable: System = systemOf(immutableDictionary)

function systemOf(dictionary: Dictionary): System {
  return {
    startServer,

    async startClient(place) {
      const dht = await startNode(place, { isServer: false })
      return { ...nodeOf(dht, { isServer: false }), ...dictionary(dht) }
    }
  }
}

async function startServer(place: Place): Promise<Server> {
  const dht = await startNode(place, { isServer: true })
  return { ...nodeOf(dht, { isServer: true }), address: `${place.host}:${dht.address().port}` }
}

/**
 * The first node is what HyperDHT calls a bootstrapper; the other servers are told that they are,
 * as in its own test network.
 */
async function startNode(
  { host, bootstrap }: Place,
  { isServer }: { isServer: boolean }
): Promise<HyperDHT> {
  const dht =
    bootstrap.length === 0
      ? HyperDHT.bootstrapper(await freePort(host), host, { host })
      : new HyperDHT({
          host,
          bootstrap: [...bootstrap],
          ephemeral: !isServer,
          ...(isServer && { firewalled: false })
        })
  await dht.fullyBootstrapped()
  return dht
}

/** A bootstrapper must know its port beforehand. */
async function freePort(host: string): Promise<number> {
  const socket = createSocket('udp4').bind(0, host)
  await once(socket, 'listening')
  const { port } = socket.address()
  await new Promise<void>((resolve) => socket.close(resolve))
  return port
}

function nodeOf(dht: HyperDHT, { isServer }: { isServer: boolean }): Node {
  return {
    settle: (servers) => settle(dht, isServer ? servers - 1 : servers),
    stop: () => dht.destroy()
  }
}

/** A search for a node's own surroundings makes it and them known to each other. */
async function settle(dht: HyperDHT, others: number): Promise<void> {
  const lookAround = async (): Promise<boolean> => {
    await dht.findNode(dht.table.id).finished()
    return dht.toArray().length >= others
  }

  await until(lookAround, { what: `${others} nodes are known` })
}

function mutableDictionary(dht: HyperDHT): ReturnType<Dictionary> {
  const find = async (key: string, latest: boolean): Promise<Uint8Array | undefined> => {
    const found = await dht.mutableGet(keyPairOf(key).publicKey, { latest })
    return found?.value
  }

  return {
    prepare: (key) => void keyPairOf(key),
    async store(key, value) {
      const { closestNodes } = await dht.mutablePut(keyPairOf(key), Buffer.from(value))
      return closestNodes.length > 0
    },
    get: (key) => find(key, false),
    latest: (key) => find(key, true)
  }
}

/** Whoever looks for a value knows its hash. */
function immutableDictionary(dht: HyperDHT): ReturnType<Dictionary> {
  return {
    prepare: (key, value) => void hashes.set(key, HyperDHT.hash(Buffer.from(value))),
    async store(_key, value) {
      const { closestNodes } = await dht.immutablePut(Buffer.from(value))
      return closestNodes.length > 0
    },
    async get(key) {
      const found = await dht.immutableGet(hashOf(key))
      return found?.value
    }
  }
}

/** By the keys that the scenarios have instead. */
const hashes = new Map<string, Buffer>()
const keyPairs = new Map<string, KeyPair>()

function hashOf(key: string): Buffer {
  const hash = hashes.get(key)

  if (hash === undefined) {
    throw new Error(`${key} was not prepared`)
  }

  return hash
}

/** Each key has a key pair of its own. The application has it before it stores. */
function keyPairOf(key: string): KeyPair {
  const keyPair = keyPairs.get(key) ?? HyperDHT.keyPair(HyperDHT.hash(Buffer.from(key)))
  keyPairs.set(key, keyPair)
  return keyPair
}
