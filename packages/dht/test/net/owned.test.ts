import { generateKeyPair } from '@libp2p/crypto/keys'
import { type DHT, getDHTTime, ownerTag, ValidationError } from '@waggle/dht'
import { type Testnet, testnet } from '@waggle/dht/testnet'
import {
  type DHTRecord,
  decodeRecord,
  encodeRecord,
  join,
  plainRecord,
  recordKey,
  subkeyRecord,
  tombstoneRecord,
  view
} from '@waggle/record'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { subkeysOf } from '../support/found.ts'
import { acquaint, UNHURRIED } from '../support/libp2p-node.ts'
import { lyingPeer } from '../support/odd-peers.ts'
import { owner } from '../support/owners.ts'
import { heldBy, putAt } from '../support/replica.ts'
import { type StockNode, stockNode } from '../support/stock-node.ts'

let net: Testnet
let stock: StockNode

beforeAll(async () => {
  net = await testnet(3, UNHURRIED)
  stock = await stockNode()
  await acquaint(stock, ...net.nodes.map(({ libp2p }) => libp2p))
}, 60_000)

afterAll(async () => {
  await net?.stop()
  await stock?.stop()
})

function node(i: number): DHT {
  return net.nodes[i] as DHT
}

const tagOf = (dht: DHT): string => ownerTag(dht.peerId)
const expirationTime = getDHTTime() + 600

async function readByAll(key: string): Promise<unknown[]> {
  const found = await Promise.all(net.nodes.map((dht) => dht.get(key, { latest: true })))
  return found.map((one) => one?.value)
}

describe('an owned key', () => {
  it('is written and deleted by its owner, and read by everybody (R15)', async () => {
    const key = `profile/${tagOf(node(0))}`

    expect(await node(0).store(key, 'first', { expirationTime })).toBe(true)
    expect(await readByAll(key)).toEqual(['first', 'first', 'first'])
    expect(await node(0).delete(key, { expirationTime: expirationTime + 1 })).toBe(true)
    expect(await readByAll(key)).toEqual([undefined, undefined, undefined])
  })

  it('is written by nobody else, by whatever message (R15, N1)', async () => {
    const key = `status/${tagOf(node(0))}`
    const forged = plainRecord('forged', expirationTime + 10)
    expect(await node(0).store(key, 'mine', { expirationTime })).toBe(true)

    await expect(node(1).store(key, 'forged', { expirationTime })).rejects.toThrow(ValidationError)
    await expect(putAt(node(2), key, forged, stock)).rejects.toThrow()
    await expect(putAt(node(2), key, tombstoneRecord(expirationTime + 10), stock)).rejects.toThrow()
    await expect(putAt({ peerId: stock.peerId }, key, forged, node(1).libp2p)).rejects.toThrow()

    expect(await readByAll(key)).toEqual(['mine', 'mine', 'mine'])
    const bytes = await stock.contentRouting.get(recordKey(key))
    expect(view(decodeRecord(bytes))).toEqual({ value: 'mine', expirationTime })
  })

  it('is written by a stock node that signs, and read by ours (R15, N1)', async () => {
    const carol = await owner(3)
    const key = `profile/${carol.tag}`
    const signed = await carol.sign(key, plainRecord('from stock', expirationTime))
    await stock.contentRouting.put(recordKey(key), encodeRecord(signed))

    expect(await readByAll(key)).toEqual(['from stock', 'from stock', 'from stock'])
  })

  it('is signed by the key that a call brings (R15)', async () => {
    const privateKey = await generateKeyPair('Ed25519')
    const key = ownerTag(privateKey.publicKey)

    expect(await node(1).store(key, 'by another key', { expirationTime, privateKey })).toBe(true)
    expect(await node(2).get(key, { latest: true })).toMatchObject({ value: 'by another key' })
  })

  it('is not believed a peer that lies about it (R15, N9a)', async () => {
    const key = `news/${tagOf(node(0))}`
    const lie = encodeRecord(plainRecord('a lie', expirationTime + 100))
    await using liar = await lyingPeer({ key: recordKey(key), value: lie })
    await acquaint(liar, ...net.nodes.map(({ libp2p }) => libp2p))

    expect(await node(1).get(key, { latest: true })).toBeUndefined()
    await node(0).store(key, 'the truth', { expirationTime })
    expect(await readByAll(key)).toEqual(['the truth', 'the truth', 'the truth'])
  })
})

describe('owned subkeys', () => {
  it('are written by their owners at once, and erased by nobody else (R15, R16)', async () => {
    const key = 'party'
    const stored = net.nodes.map((dht, i) =>
      dht.store(key, i, { subkey: tagOf(dht), expirationTime: expirationTime + i })
    )
    expect(await Promise.all(stored)).toEqual([true, true, true])

    const later = { expirationTime: expirationTime + 100 }
    expect(await node(0).store(key, 'wiped', later)).toBe(false)
    expect(await node(0).delete(key, later)).toBe(false)
    await expect(
      putAt(node(1), key, plainRecord('wiped', later.expirationTime), stock)
    ).rejects.toThrow()
    await expect(node(0).delete(key, { ...later, subkey: tagOf(node(1)) })).rejects.toThrow(
      ValidationError
    )

    expect(await node(1).delete(key, { ...later, subkey: tagOf(node(1)) })).toBe(true)
    const found = await node(2).get(key, { latest: true })
    expect(subkeysOf(found)).toEqual([tagOf(node(0)), tagOf(node(2))].sort())
  })

  it('are handed over and merged with their signatures (R15, N2, N7)', async () => {
    const key = 'handed over'
    expect(await node(0).store(key, 'x', { subkey: tagOf(node(0)), expirationTime })).toBe(true)
    await putAt(node(1), key, subkeyRecord('anybody', 'y', expirationTime), stock)
    await node(1).get(key, { latest: true })

    const held = (await heldBy(node(1), key, stock)) as DHTRecord
    await expect(putAt(node(2), key, held, stock)).resolves.not.toThrow()
    await expect(putAt(node(2), key, join(held, unsigned(held)), stock)).rejects.toThrow()
  })
})

/** Returns the same record without signatures, a little later. */
function unsigned({ subkeys }: DHTRecord): DHTRecord {
  return {
    subkeys: new Map(
      Array.from(subkeys, ([id, { signature: _, ...entry }]) => [
        id,
        { ...entry, expirationTime: entry.expirationTime + 1 }
      ])
    )
  }
}
