import type { DHT } from '@waggle/dht'
import { schemaValidator } from '@waggle/dht'
import { testnet } from '@waggle/dht/testnet'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { PATIENCE, UNHURRIED } from '../support/libp2p-node.ts'

const Member = z.object({ name: z.string(), mood: z.string().default('fine') })
const Party = { key: 'party', subkey: z.string(), value: z.enum(['yes', 'no']) }

describe('a presence', () => {
  it('shows each peer who is here, until each says goodbye, or dies', async () => {
    await using net = await testnet(5, UNHURRIED)
    const [alice, bob, carol] = net.nodes as [DHT, DHT, DHT]
    const watch = alice.presence('room', Member).watch()
    const names = (): string =>
      [...(watch.current?.values() ?? [])]
        .map(({ value }) => `${value.name} ${value.mood}`)
        .sort()
        .join()
    const events: string[] = []
    watch.subscribe(({ changes }) => events.push(...changes.map(({ type }) => type)))
    await vi.waitUntil(() => watch.current !== undefined, PATIENCE)
    expect(watch.current?.size).toBe(0)

    const membership = bob.presence('room', Member, { ttl: 60 }).join({ name: 'Bob' })
    await vi.waitUntil(() => names() === 'Bob fine', PATIENCE)
    carol.presence('room', Member, { ttl: 3 }).join({ name: 'Carol', mood: 'tired' })
    await vi.waitUntil(() => names() === 'Bob fine,Carol tired', PATIENCE)
    expect(new Set(watch.current?.keys())).toEqual(
      new Set([bob, carol].map(({ peerId }) => String(peerId)))
    )
    await membership.update({ name: 'Bob', mood: 'happy' })
    await vi.waitUntil(() => names() === 'Bob happy,Carol tired', PATIENCE)

    await membership.stop()
    await vi.waitUntil(() => names() === 'Carol tired', PATIENCE)
    await carol.stop()
    await vi.waitUntil(() => names() === '', PATIENCE)

    expect(events).toEqual(['added', 'added', 'changed', 'removed', 'removed'])
  })
})

describe('a dictionary with schemas', () => {
  it('is what all nodes write and read, without what strangers put there', async () => {
    await using net = await testnet(4, UNHURRIED)
    const [strict, loose] = net.nodes as [DHT, DHT]
    const [third] = net.nodes.slice(2) as [DHT]
    await using careful = await net.add({ validators: [schemaValidator({ rules: [Party] })] })
    await strict.dictionary('party', Party, { ttl: 600 }).store('alice', 'yes')
    await careful.dictionary('party', Party, { ttl: 600 }).store('bob', 'no')
    await loose.store('party', 'perhaps', { subkey: 'mallory', ttl: 600 })
    const misfits: unknown[] = []
    const party = third.dictionary('party', Party, {
      onMisfit: ({ subkey }) => misfits.push(subkey)
    })

    expect(await party.entries({ latest: true })).toEqual(
      new Map([
        ['bob', { value: 'no', expirationTime: expect.any(Number) }],
        ['alice', { value: 'yes', expirationTime: expect.any(Number) }]
      ])
    )
    expect(misfits).toEqual(['mallory'])
    expect(third.stats().misfits).toBe(1)
  })
})
