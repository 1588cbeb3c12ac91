import type { Misfit } from '@waggle/dht/handles'
import { ownerTag, recordKey, schemaValidator } from '@waggle/record'
import * as v from 'valibot'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { type Handles, handlesOf } from '../../src/handles/handles.ts'
import type { Operations } from '../../src/operations/operations.ts'
import { Publications } from '../../src/operations/publications.ts'
import { owner } from '../support/owners.ts'
import { operations } from '../support/simulated-operations.ts'
import { Simulation, START } from '../support/simulated-replicas.ts'

const alice = await owner(1)
const bob = await owner(2)
const KEY = 'party'
const TTL = { ttl: 600 }

interface Scene extends Handles {
  readonly dht: Operations
  readonly misfits: Misfit[]
  readonly onMisfit: (misfit: Misfit) => void

  /** Returns the number of misfits that the node has counted. */
  readonly count: () => number
}

function scene(): Scene {
  const net = new Simulation(recordKey(KEY), { size: 6 })
  let count = 0
  const dht = operations(net, {
    peerId: alice.peerId,
    privateKey: alice.privateKey,
    onMisfit: () => count++
  })
  const misfits: Misfit[] = []
  return {
    ...{ dht, misfits, ...handlesOf(dht) },
    onMisfit: (misfit) => misfits.push(misfit),
    count: () => count
  }
}

const Profile = z.object({ name: z.string(), at: z.number().default(0) })
const Party = { key: KEY, subkey: z.string(), value: z.enum(['yes', 'no']) }

describe('a handle of a value', () => {
  it('stores what the schema takes, and reads what it gives', async () => {
    const { dht, value } = scene()
    const profile = value(KEY, Profile, TTL)
    expect(await profile.store({ name: 'Alice' })).toBe(true)

    expect((await dht.get(KEY))?.value).toEqual({ name: 'Alice' })
    expect(await profile.get()).toEqual({
      value: { name: 'Alice', at: 0 },
      expirationTime: expect.closeTo(START + 600, 3)
    })
  })

  it('refuses what does not fit before anything is sent, and says why', async () => {
    const { dht, value } = scene()
    const profile = value(KEY, Profile)

    await expect(profile.store({ name: 7 as never }, TTL)).rejects.toThrow(
      expect.objectContaining({
        name: 'ValidationError',
        message: expect.stringContaining('value.name: ')
      })
    )
    expect(await dht.get(KEY, { latest: true })).toBeUndefined()
  })

  it('finds nothing where a value does not fit, and reports it', async () => {
    const { count, dht, misfits, onMisfit, value } = scene()
    await dht.store(KEY, { name: 7 }, TTL)

    expect(await value(KEY, Profile, { onMisfit }).get()).toBeUndefined()
    expect(misfits).toMatchObject([
      { key: KEY, subkey: undefined, value: { name: 7 }, owner: undefined }
    ])
    expect(misfits[0]?.issues.length).toBeGreaterThan(0)
    expect(count()).toBe(1)
  })

  it('finds nothing where a dictionary is, and reports each entry', async () => {
    const { dht, misfits, onMisfit, value } = scene()
    await dht.store(KEY, { name: 'Bob' }, { ...TTL, subkey: 'bob' })
    expect(await value(KEY, Profile, { onMisfit }).get()).toBeUndefined()

    expect(misfits).toMatchObject([{ subkey: 'bob', issues: [{ message: /dictionary/ }] }])
  })

  it('takes a lifetime for one call, and deletes', async () => {
    const { value } = scene()
    const profile = value(KEY, Profile, TTL)
    await profile.store({ name: 'Alice' }, { expirationTime: START + 60 })
    expect((await profile.get())?.expirationTime).toBe(START + 60)
    await profile.delete({ ttl: 700 })

    expect(await profile.get({ latest: true })).toBeUndefined()
  })

  it('signs with its private key', async () => {
    const { dht, value } = scene()
    const key = `profile/${bob.tag}`
    const profile = value(key, Profile, { ...TTL, privateKey: bob.privateKey })

    expect(await profile.store({ name: 'Bob' })).toBe(true)
    await expect(dht.store(key, 1, TTL)).rejects.toThrow(/belongs to/)
  })

  it('takes asynchronous schemas, and counts one that throws as refusing', async () => {
    const { value } = scene()
    const slow = value(
      KEY,
      z.string().refine(async (text) => text !== 'no'),
      TTL
    )
    const broken = {
      '~standard': {
        version: 1 as const,
        vendor: 'test',
        validate: (): never => {
          throw new Error('broken')
        }
      }
    }
    expect(await slow.store('yes')).toBe(true)
    await expect(slow.store('no')).rejects.toThrow(/value: /)
    expect((await slow.get())?.value).toBe('yes')
    expect(await value(KEY, broken as never).get()).toBeUndefined()
  })

  it('publishes what fits, under its own name, until it is stopped', async () => {
    const { dht, value } = scene()
    const profile = value(KEY, Profile, TTL)
    const published = profile.publish({ name: 'Alice' }, { goodbye: true })
    await published.held()
    expect(published).toMatchObject({ key: KEY, subkey: undefined, state: 'held' })
    await expect(published.update({ name: 7 as never })).rejects.toThrow(/value.name: /)
    await published.update({ name: 'Bob' })
    expect(published.value).toEqual({ name: 'Bob' })
    expect((await dht.get(KEY, { latest: true }))?.value).toEqual({ name: 'Bob' })
    await published.stop()

    expect(published.state).toBe('stopped')
    expect(await profile.get({ latest: true })).toBeUndefined()
    expect(() => profile.publish({ name: 7 as never })).toThrow(/value.name: /)
    expect(() => value(KEY, Profile).publish({ name: 'Alice' }, {} as never)).toThrow(/ttl/)
  })

  it('publishes what an asynchronous schema takes, and says why if it refuses', async () => {
    const { dht, value } = scene()
    const slow = value(
      KEY,
      z.string().refine(async (text) => text !== 'no'),
      TTL
    )
    const states: string[] = []
    const refused = slow.publish('no')
    refused.subscribe((state) => states.push(state))
    await expect(refused.held()).rejects.toThrow(/value: /)
    expect([refused.state, refused.error?.name, states]).toEqual([
      'stopped',
      'ValidationError',
      ['stopped']
    ])
    const early = slow.publish('early')
    await early.stop()
    expect(await dht.get(KEY, { latest: true })).toBeUndefined()
    await using published = slow.publish('yes')
    const end = published.subscribe((state) => states.push(state))
    await published.held()
    end()
    await published.update('again')
    expect(states).toEqual(['stopped', 'held'])
    expect((await slow.get({ latest: true }))?.value).toBe('again')
  })

  it('is made of a schema and known options only', () => {
    const { value } = scene()
    expect(() => value(KEY, {} as never)).toThrow(/Standard Schema/)
    expect(() => value(KEY, Profile, { tll: 5 } as never)).toThrow(/no option tll/)
  })
})

describe('a handle of a dictionary', () => {
  it('stores and reads entries of one rule, which serves the validator, too', async () => {
    const { dht, dictionary } = scene()
    const validator = schemaValidator({ rules: [Party] })
    const party = dictionary(Party.key, Party, TTL)
    await party.store('alice', 'yes')
    await party.store('bob', 'no', { ttl: 60 })

    expect(await party.get('alice')).toMatchObject({ value: 'yes' })
    expect(
      [...(await party.entries({ latest: true }))].map(([name, { value }]) => [name, value])
    ).toEqual([
      ['bob', 'no'],
      ['alice', 'yes']
    ])
    const submission = { expirationTime: START, owner: undefined, subkey: 'alice' }
    expect(await validator.validate({ ...submission, key: KEY, value: 'maybe' })).toMatch(/value/)
    await dht.delete(KEY, { subkey: 'alice', ttl: 700 })
    expect(await party.get('alice', { latest: true })).toBeUndefined()
  })

  it('leaves out entries that do not fit, and reports each: values, subkeys, and a plain value', async () => {
    const { dht, dictionary, misfits, onMisfit } = scene()
    const party = dictionary(KEY, Party, { onMisfit })
    await dht.store(KEY, 'plain', { ttl: 5 })
    expect((await party.entries({ latest: true })).size).toBe(0)
    await dht.store(KEY, 'maybe', { ...TTL, subkey: `${bob.tag}x` }).catch(() => {})
    await dht.store(KEY, 'yes', { ...TTL, subkey: 7 })
    await dht.store(KEY, 'no', { ...TTL, subkey: 'carol' })
    const entries = await party.entries({ latest: true })

    expect([...entries.keys()]).toEqual(['carol'])
    expect(misfits).toMatchObject([
      { subkey: undefined, value: 'plain', issues: [{ message: /plain value/ }] },
      { subkey: 7, value: 'yes' }
    ])
  })

  it('reads subkeys of any kind by what is in them', async () => {
    const { dictionary } = scene()
    const grid = dictionary(KEY, {
      subkey: v.tuple([v.number(), v.number()]),
      value: v.object({ colour: v.string() })
    })
    await grid.store([0, 1], { colour: 'blue' }, TTL)

    expect((await grid.get([0, 1]))?.value).toEqual({ colour: 'blue' })
    await expect(grid.store([0] as never, { colour: 'blue' }, TTL)).rejects.toThrow(/subkey/)
  })

  it('watches entries, of which those that do not fit are no change', async () => {
    const { dht, dictionary, misfits, onMisfit } = scene()
    const watch = dictionary(KEY, Party, { ...TTL, onMisfit }).watch()
    const first = await watch.next()
    expect(first.value).toEqual({ current: new Map(), changes: [] })
    await dht.store(KEY, 'perhaps', { ...TTL, subkey: 'mallory' })
    await dht.store(KEY, 'yes', { ...TTL, subkey: 'alice' })
    const { value } = await watch.next()
    expect(value?.changes).toMatchObject([{ type: 'added', subkey: 'alice' }])
    expect([...(value?.current.keys() ?? [])]).toEqual(['alice'])
    await dht.store(KEY, 'no', { ...TTL, subkey: 'alice' })
    expect((await watch.next()).value?.changes).toMatchObject([
      { type: 'changed', before: { value: 'yes' }, found: { value: 'no' } }
    ])
    await watch.stop()

    expect(misfits.map(({ subkey }) => subkey)).toEqual(['mallory'])
  })

  it('publishes entries that fit', async () => {
    const { dictionary } = scene()
    const party = dictionary(KEY, Party)
    await using published = party.publish('alice', 'yes', TTL)
    await published.held()

    expect(published.subkey).toBe('alice')
    expect((await party.get('alice'))?.value).toBe('yes')
    expect(() => party.publish(7 as never, 'yes', TTL)).toThrow(/subkey: /)
    expect(() => party.publish('bob', 'perhaps' as never, TTL)).toThrow(/value: /)
  })

  it('keeps the objects of values that were only renewed, without reading them again', async () => {
    const { dht, dictionary } = scene()
    const read = vi.fn((value: { n: number }) => ({ ...value }))
    const schemas = { subkey: z.string(), value: z.object({ n: z.number() }).transform(read) }
    const watch = dictionary(KEY, schemas).watch({ renewals: true })
    await dht.store(KEY, { n: 1 }, { ...TTL, subkey: 'a' })
    const before = (await watch.next()).value?.current.get('a')
    await dht.store(KEY, { n: 1 }, { ttl: 700, subkey: 'a' })
    const { value } = await watch.next()
    await watch.stop()

    expect(value?.changes).toMatchObject([{ type: 'renewed' }])
    expect(value?.current.get('a')?.expirationTime).toBeGreaterThan(START + 650)
    expect(value?.current.get('a')?.value).toBe(before?.value)
    expect(read).toHaveBeenCalledTimes(1)
  })
})

describe('a presence', () => {
  const Member = z.object({ name: z.string() })

  it('has the members by peer id, and no entry that the peer has not signed', async () => {
    const { dht, misfits, onMisfit, presence } = scene()
    const room = presence(KEY, Member, { onMisfit })
    await using me = room.join({ name: 'Alice' })
    await me.held()
    await dht.store(KEY, { name: 'Bob' }, { ...TTL, subkey: bob.tag, privateKey: bob.privateKey })
    await dht.store(KEY, { name: 'Mallory' }, { ...TTL, subkey: 'mallory' })
    await dht.store(KEY, { name: 'Alice again' }, { ...TTL, subkey: ['second', alice.tag] })
    const members = await room.members({ latest: true })

    expect(new Map([...members].map(([id, { value }]) => [id, value.name]))).toEqual(
      new Map([
        [String(alice.peerId), 'Alice'],
        [String(bob.peerId), 'Bob']
      ])
    )
    expect(misfits.map(({ subkey, owner }) => [subkey, owner])).toEqual([
      ['mallory', undefined],
      [['second', alice.tag], String(alice.peerId)]
    ])
  })

  it('tells of joins, updates and goodbyes', async () => {
    const { presence } = scene()
    const room = presence(KEY, Member)
    const watch = room.watch()
    expect((await watch.next()).value).toEqual({ current: new Map(), changes: [] })
    const me = room.join({ name: 'Alice' })
    const peer = String(alice.peerId)
    expect((await watch.next()).value?.changes).toMatchObject([{ type: 'added', subkey: peer }])
    await me.update({ name: 'Alice B.' })
    expect((await watch.next()).value?.changes).toMatchObject([
      { type: 'changed', subkey: peer, found: { value: { name: 'Alice B.' } } }
    ])
    await me.stop()
    await me.stop()
    expect((await watch.next()).value?.changes).toMatchObject([
      { type: 'removed', subkey: peer, reason: 'deleted' }
    ])
    await expect(me.update({ name: 'late' })).rejects.toThrow(/ended/)
    await watch.stop()
  })

  it('lets a member that has left come back at once', async () => {
    const { presence } = scene()
    const room = presence(KEY, Member)
    const first = room.join({ name: 'Alice' })
    await first.stop()
    expect((await room.members({ latest: true })).size).toBe(0)
    await using again = room.join({ name: 'Alice again' })
    await again.held()

    expect([...(await room.members({ latest: true })).values()]).toMatchObject([
      { value: { name: 'Alice again' } }
    ])
  })

  it('tries again until a replica has a member that joined while nobody could be reached', async () => {
    const net = new Simulation(recordKey(KEY), { size: 6, isReplica: () => false })
    const publications = new Publications(net.clock)
    const room = handlesOf(operations(net, { ...alice, publications })).presence(KEY, Member)

    for (const peer of net.peers) {
      peer.fails = 'always'
    }

    const me = room.join({ name: 'Alice' })
    await expect(me.held({ timeoutMs: 20 })).rejects.toThrow('held took longer than 20 ms')

    for (const peer of net.peers) {
      peer.fails = 'never'
    }

    publications.onPeer()
    await me.held()
    expect((await room.members({ latest: true })).size).toBe(1)
    await me.stop()
  })

  it('keeps a member for its ttl', async () => {
    const { dht, presence } = scene()
    const room = presence(KEY, Member, { ttl: 10 })
    await room.join({ name: 'Alice' }).held()
    const found = await dht.get(KEY)

    expect(found?.expirationTime).toBeCloseTo(START + 10, 3)
    expect(found?.value instanceof Map && [...found.value.keys()]).toEqual([ownerTag(alice.peerId)])
  })

  it('refuses what does not fit', async () => {
    const { presence } = scene()
    const room = presence(KEY, Member)
    expect(() => room.join({ name: 7 as never })).toThrow(/value.name: /)
    await using me = room.join({ name: 'Alice' })
    await expect(me.update({} as never)).rejects.toThrow(/value.name: /)
    expect(me.value).toEqual({ name: 'Alice' })
  })
})
