import type { PeerId } from '@libp2p/interface'
import { beforeEach, describe, expect, it } from 'vitest'
import type { NodeContact } from '../../src/peers/node-contact.ts'
import { RoutingTable } from '../../src/peers/routing-table.ts'
import { TableUpkeep } from '../../src/peers/table-upkeep.ts'
import { idFrom, nodeContact } from '../support/node-contacts.ts'

let nowMs: number
let events: string[]
let upkeep: TableUpkeep
let routing: RoutingTable
let self: NodeContact
let other: NodeContact

beforeEach(async () => {
  nowMs = 0
  events = []
  self = await nodeContact(idFrom(0))
  other = await nodeContact(idFrom(1))
  routing = new RoutingTable({ ownId: self.nodeId, bucketSize: 1, depthModulo: 5 })
  upkeep = new TableUpkeep({
    ...{ self: self.id, routing, nowMs: () => nowMs },
    onJoin: ({ id }) => events.push(`join ${nameOf(id)}`),
    onLeave: ({ id }) => events.push(`leave ${nameOf(id)}`),
    ping: ({ id }) => events.push(`ping ${nameOf(id)}`)
  })
})

function nameOf(id: PeerId): string {
  return id.equals(other.id) ? 'other' : 'another'
}

describe('TableUpkeep', () => {
  it('takes in peers that tell a node id, and neither clients nor itself', () => {
    upkeep.met(other.id, undefined)
    upkeep.met(self.id, self.nodeId)
    expect(routing.size).toBe(0)
    upkeep.met(other.id, other.nodeId)
    upkeep.met(other.id, other.nodeId)
    expect(events).toEqual(['join other'])
  })

  it('strikes out a peer that fails twice, and not when many calls fail at once', () => {
    upkeep.met(other.id, other.nodeId)
    upkeep.failed(other.id)
    upkeep.failed(other.id)
    expect(routing.size).toBe(1)
    nowMs = 1500
    upkeep.failed(other.id)
    expect(events).toEqual(['join other', 'leave other'])
  })

  it('forgets a failure when the peer is heard of', () => {
    upkeep.met(other.id, other.nodeId)
    expect(upkeep.hasFailed(other.id)).toBe(false)
    upkeep.failed(other.id)
    expect(upkeep.hasFailed(other.id)).toBe(true)
    upkeep.met(other.id, other.nodeId)
    expect(upkeep.hasFailed(other.id)).toBe(false)
    nowMs = 1500
    upkeep.failed(other.id)
    expect(routing.size).toBe(1)
  })

  it('asks the node seen longest ago when a newcomer finds no place', async () => {
    upkeep.met(other.id, idFrom(0xff))
    const newcomer = await nodeContact(idFrom(0xff, 1))
    upkeep.met(newcomer.id, newcomer.nodeId)
    expect(events).toEqual(['join other', 'ping other'])
  })
})
