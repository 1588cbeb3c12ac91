import { type Key, recordKey, type Subkey, schemaValidator } from '@waggle/record'
import { DEFAULT_NETWORK, encodeValue } from '@waggle/record/replica'
import { toString as stringOf } from 'uint8arrays/to-string'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Operations } from '../../src/operations/operations.ts'
import { Publications } from '../../src/operations/publications.ts'
import { OVERHEAD_BYTES } from '../../src/sealed/envelope.ts'
import { HiddenNames } from '../../src/sealed/hidden-names.ts'
import type { Unopened } from '../../src/sealed/opener.ts'
import { sealedView } from '../../src/sealed/sealed-view.ts'
import { sealingKeys } from '../../src/sealed/sealing-keys.ts'
import { entriesOf, subkeysOf } from '../support/found.ts'
import { owner } from '../support/owners.ts'
import { operations } from '../support/simulated-operations.ts'
import { Simulation, START } from '../support/simulated-replicas.ts'

const alice = await owner(1)
const bob = await owner(2)
const SECRET = new Uint8Array(32).fill(7)
const OTHER_SECRET = new Uint8Array(32).fill(8)
const TTL = { ttl: 600 }

function scene(): Operations {
  const net = new Simulation(recordKey('any'), { size: 6 })
  return operations(net, { peerId: alice.peerId, privateKey: alice.privateKey })
}

/** Reads the first entry of a dictionary, as replicas see it. */
async function firstOf(dht: Operations, key: Key): Promise<readonly [Subkey, Uint8Array]> {
  const [first] = entriesOf(await dht.get(key, { latest: true }))
  return [first?.[0] ?? '', first?.[1].value as Uint8Array]
}

function hiddenKey(key: Key): Key {
  const { names, privateKey } = sealingKeys(SECRET, DEFAULT_NETWORK)
  return new HiddenNames({ names, membersTag: `[owner:${privateKey.publicKey}]` }).key(key)
}

describe('a sealed view', () => {
  it('reads what members write, values and dictionaries, and what they delete', async () => {
    const dht = scene()
    const team = sealedView(dht, SECRET)
    const again = sealedView(dht, SECRET)
    expect(await team.store('plan', { at: 'dawn', n: 1n }, TTL)).toBe(true)
    expect((await again.get('plan'))?.value).toEqual({ at: 'dawn', n: 1n })
    await team.store('party', 'yes', { ...TTL, subkey: ['alice', 1] })
    await again.store('party', null, { ...TTL, subkey: 'bob' })
    const party = await team.get('party', { latest: true })

    expect(new Set(entriesOf(party))).toEqual(
      new Set([
        [['alice', 1], { value: 'yes', expirationTime: expect.closeTo(START + 600, 3) }],
        ['bob', { value: null, expirationTime: expect.closeTo(START + 600, 3) }]
      ])
    )
    await again.delete('party', { ttl: 700, subkey: 'bob' })
    expect(subkeysOf(await team.get('party', { latest: true }))).toEqual([['alice', 1]])
  })

  it('shows replicas neither names nor values', async () => {
    const dht = scene()
    await sealedView(dht, SECRET).store('the plan', 'dawn', { ...TTL, subkey: 'who' })
    const text = stringOf(encodeValue(hiddenKey('the plan')), 'latin1')
    const [subkey, value] = await firstOf(dht, hiddenKey('the plan'))

    expect(text).not.toContain('plan')
    expect(subkey).toHaveLength(16)
    expect(stringOf(value, 'latin1')).not.toMatch(/dawn|who/)
    expect(value).toHaveLength(
      encodeValue('dawn').length + encodeValue('who').length + 1 + OVERHEAD_BYTES
    )
  })

  it('shows in a report what beats a write: an entry, or the plain value of the key', async () => {
    const unopened: Unopened[] = []
    const team = sealedView(scene(), SECRET, { onMisfit: (one) => unopened.push(one) })
    await team.store('party', 'yes', { ttl: 700, subkey: 'alice' })
    await team.store('plan', 'cancelled', { ttl: 700 })
    const options = { ...TTL, subkey: 'alice', report: true as const }

    expect(await team.store('party', 'no', options)).toMatchObject({ by: { value: 'yes' } })
    expect(await team.store('plan', 'no', options)).toMatchObject({ by: { value: 'cancelled' } })
    expect(unopened).toEqual([])
  })

  it('can not be read or written without the secret', async () => {
    const dht = scene()
    await sealedView(dht, SECRET).store('plan', 'dawn', TTL)

    expect(await sealedView(dht, OTHER_SECRET).get('plan')).toBeUndefined()
    expect(await sealedView(dht, SECRET, { writers: 'anybody' }).get('plan')).toBeUndefined()
    await expect(dht.store(hiddenKey('plan'), 'noise', TTL)).rejects.toThrow(/belongs to/)
    await expect(dht.delete(hiddenKey('plan'), TTL)).rejects.toThrow(/belongs to/)
  })

  it('leaves out and reports what a member stored without sealing it, or moved', async () => {
    const dht = scene()
    const unopened: Unopened[] = []
    const team = sealedView(dht, SECRET, { onMisfit: (one) => unopened.push(one) })
    const { privateKey } = sealingKeys(SECRET, DEFAULT_NETWORK)
    const key = hiddenKey('plan')
    await team.store('plan', 'dawn', { expirationTime: START + 60, subkey: 'a' })
    const [subkey, value] = await firstOf(dht, key)
    await dht.store(key, value, { expirationTime: START + 61, subkey, privateKey })
    await dht.store(key, value, { expirationTime: START + 60, subkey: 'elsewhere', privateKey })
    await dht.store(key, 'unsealed', { ...TTL, subkey: 'x', privateKey })

    expect(await team.get('plan', { latest: true })).toBeUndefined()
    expect(unopened.map(({ subkey }): unknown => subkey)).toEqual(
      expect.arrayContaining<unknown>([subkey, 'elsewhere', 'x'])
    )
  })

  it('seals renewals anew, of what was stored, whatever became of the object', async () => {
    const net = new Simulation(recordKey('any'), { size: 6 })
    const publications = new Publications(net.clock)
    const team = sealedView(operations(net, { publications }), SECRET)
    const value = { n: 1 }
    const publication = team.publish('plan', value, { ttl: 10 })
    await publication.held()
    value.n = 2
    net.clock.time += 6
    await publications.runDue()
    const found = await team.get('plan', { latest: true })

    expect(found?.value).toEqual({ n: 1 })
    expect(found?.expirationTime).toBeGreaterThan(START + 15)
  })

  it('stores and reads many', async () => {
    const team = sealedView(scene(), SECRET)
    const keys = ['a', 'b', ['c']]
    expect(
      await team.storeMany(
        keys.map((key, i) => ({ key, value: i })),
        TTL
      )
    ).toEqual([true, true, true])
    function* lazily(): Iterable<Key> {
      yield* keys
      yield 'missing'
    }
    const progress: unknown[] = []
    const found = await team.getMany(lazily(), {
      onProgress: (event) => progress.push([event.name, event.key])
    })

    expect(found.map((each) => each?.value)).toEqual([0, 1, 2, undefined])
    expect(progress).toEqual(
      expect.arrayContaining([
        ['found', 'a'],
        ['found', ['c']],
        ['not-found', 'missing']
      ])
    )
  })

  it('is watched, with a renewal as no change', async () => {
    const dht = scene()
    const team = sealedView(dht, SECRET)
    const watch = team.watch('room')
    expect((await watch.next()).value).toEqual({ current: undefined, changes: [] })
    await team.store('room', { n: 1 }, { ...TTL, subkey: 'a' })
    expect((await watch.next()).value?.changes).toMatchObject([
      { type: 'added', subkey: 'a', found: { value: { n: 1 } } }
    ])
    await team.store('room', { n: 1 }, { ttl: 700, subkey: 'a' })
    await team.store('room', 2, { ...TTL, subkey: 'b' })
    expect((await watch.next()).value?.changes).toMatchObject([{ type: 'added', subkey: 'b' }])
    await watch.stop()
  })

  it('has presences and handles, like a DHT', async () => {
    const team = sealedView(scene(), SECRET)
    const room = team.presence('room', z.object({ name: z.string() }))
    await using me = room.join({ name: 'Alice' })
    await me.held()
    const members = await room.members()

    expect([...members].map(([peer, { value }]) => [peer, value.name])).toEqual([
      [String(alice.peerId), 'Alice']
    ])
  })

  it('lets peers own subkeys where anybody writes, and leaves out noise', async () => {
    const dht = scene()
    const unopened: Unopened[] = []
    const open = sealedView(dht, SECRET, {
      writers: 'anybody',
      onMisfit: (one) => unopened.push(one)
    })
    await open.store('room', 'mine', { ...TTL, subkey: alice.tag })
    await open.store('room', "Bob's", { ...TTL, subkey: bob.tag, privateKey: bob.privateKey })
    await expect(open.store('room', 'forged', { ...TTL, subkey: bob.tag })).rejects.toThrow(
      /belongs/
    )
    const { names } = sealingKeys(SECRET, DEFAULT_NETWORK)
    const hidden = new HiddenNames({ names, membersTag: undefined }).key('room')
    await dht.store(hidden, 'noise', { ...TTL, subkey: 'noise' })
    const found = await open.get('room', { latest: true })

    expect(new Set(subkeysOf(found))).toEqual(new Set([alice.tag, bob.tag]))
    expect(unopened).toEqual([{ key: 'room', subkey: 'noise' }])
  })

  it('needs a secret of 32 bytes, and known options', () => {
    const dht = scene()
    expect(() => sealedView(dht, 'hunter2' as never)).toThrow(/32 random bytes.*string/)
    expect(() => sealedView(dht, new Uint8Array(31))).toThrow(/31 bytes/)
    expect(() => sealedView(dht, SECRET, { writers: 'me' as never })).toThrow(/'members' or/)
    expect(() => sealedView(dht, SECRET, { writer: 'anybody' } as never)).toThrow(/no option/)
  })

  it('is refused privateKey where members sign', async () => {
    const team = sealedView(scene(), SECRET)
    await expect(team.store('a', 1, { ...TTL, privateKey: bob.privateKey })).rejects.toThrow(
      /members sign/
    )
  })

  it('says by its path what can not be stored', async () => {
    const team = sealedView(scene(), SECRET)
    await expect(team.store('a', Object({ b: [Symbol()] }), TTL)).rejects.toThrow(/value\.b/)
  })

  it('is let through by a schema validator that is told so', async () => {
    const submission = { subkey: undefined, expirationTime: START, owner: undefined, value: 1 }
    const rules = [{ key: 'a', value: z.string() }]
    const key = hiddenKey('plan')
    const verdict = (options: object): unknown =>
      schemaValidator({ rules, ...options }).validate({ ...submission, key })

    expect(verdict({})).toBe(true)
    expect(verdict({ allowOtherKeys: false })).toMatch(/no schema/)
    expect(verdict({ allowOtherKeys: false, allowSealed: true })).toBe(true)
    expect(
      schemaValidator({ rules, allowOtherKeys: false, allowSealed: true }).validate({
        ...submission,
        key: ['other']
      })
    ).toMatch(/no schema/)
  })
})
