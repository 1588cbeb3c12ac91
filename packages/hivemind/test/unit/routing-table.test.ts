import { describe, expect, it } from 'vitest'
import type { NodeContact } from '../../src/peers/node-contact.ts'
import { RoutingTable } from '../../src/peers/routing-table.ts'
import { bytesOfHex, hexOf } from '../support/hex.ts'
import { idFrom, nodeContact } from '../support/node-contacts.ts'
import { vectors } from '../support/vectors.ts'

function tableOf(bucketSize: number, ownId = idFrom(0)): RoutingTable {
  return new RoutingTable({ ownId, bucketSize, depthModulo: 5 })
}

describe('RoutingTable', () => {
  it('finds the nearest nodes that Python finds', async () => {
    const { query, own, known, nearest } = vectors.offline.nearest
    const table = tableOf(20, bytesOfHex(own))

    for (const id of known) {
      table.add(await nodeContact(id))
    }

    const found = table.nearest(bytesOfHex(query), nearest.length)
    expect(found.map(({ nodeId }) => hexOf(nodeId))).toEqual(nearest)
  })

  it('splits the bucket of its own id, and others down to a depth of five', async () => {
    const table = tableOf(1)
    const far: NodeContact[] = []

    for (let i = 0; i < 32; i++) {
      far.push(await nodeContact(idFrom(0x80 + 4 * i)))
    }

    const added = far.map((contact) => table.add(contact))
    // A half of the ids in sixteenths: sixteen buckets of depth five.
    expect(added.filter(({ isNew }) => isNew)).toHaveLength(16)
    expect(table.size).toBe(16)
  })

  it('names the node seen longest ago when there is no place, once', async () => {
    const table = tableOf(1)
    const [first, second, third] = await Promise.all(
      [0, 1, 2].map((i) => nodeContact(idFrom(0xff, i)))
    )
    table.add(first as NodeContact)

    expect(table.add(second as NodeContact)).toEqual({ isNew: false, toPing: first })
    expect(table.add(third as NodeContact)).toEqual({ isNew: false, toPing: undefined })
  })

  it('gives a free place to the peer that waited for it last', async () => {
    const table = tableOf(1)
    const [first, second] = await Promise.all([0, 1].map((i) => nodeContact(idFrom(0xff, i))))
    table.add(first as NodeContact)
    table.add(second as NodeContact)
    table.delete((first as NodeContact).id)

    expect([...table.contacts]).toEqual([second])
  })

  it('knows a peer by its last node id', async () => {
    const table = tableOf(20)
    const contact = await nodeContact(idFrom(1))
    const moved = { ...contact, nodeId: idFrom(2) }
    table.add(contact)
    table.add(moved)

    expect(table.nearest(idFrom(0), 5)).toEqual([moved])
  })

  it('survives many peers that claim one id, its own too', async () => {
    const table = tableOf(1)

    for (let i = 0; i < 5; i++) {
      table.add(await nodeContact(idFrom(0)))
    }

    expect(table.size).toBe(1)
  })
})
