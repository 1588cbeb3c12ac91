// Valid and invalid uses of typed handles and watches, for the compiler only: nothing here runs.
import type { DHT, Found, Value } from '@waggle/dht'
import { schemaValidator } from '@waggle/dht'
import * as v from 'valibot'
import { z } from 'zod'

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
declare function same<A, B>(check: Equal<A, B>): void

declare const dht: DHT
declare const signal: AbortSignal
declare const render: (members: ReadonlyMap<string, Found<Member>>) => void

const Member = z.object({ name: z.string(), at: z.number().default(0) })
type Member = z.infer<typeof Member>
const Answer = z.enum(['yes', 'no', 'maybe'])
const party = { key: 'party', subkey: z.string(), value: Answer }

export async function watching(): Promise<() => void> {
  for await (const { current, changes } of dht.watch('party', { signal })) {
    for (const change of changes) {
      if (change.type === 'removed') {
        same<typeof change.reason, 'deleted' | 'expired'>(true)
      }

      // @ts-expect-error renewals come only to those who ask for them
      change.type === 'renewed'
    }

    same<typeof current, Found | undefined>(true)
  }

  for await (const { changes } of dht.watch('party', { renewals: true })) {
    changes.some(({ type }) => type === 'renewed')
  }

  const members = dht.presence('room/42', Member).watch()
  return members.subscribe(() => render(members.current ?? new Map()))
}

export async function subkeys(): Promise<void> {
  const alice = await dht.get('party', { subkey: 'alice', latest: true })
  same<typeof alice, Found<Value> | undefined>(true)
  const all = await dht.get('party', { latest: true })
  same<typeof all, Found | undefined>(true)
  await dht.getMany(['colour', { key: 'party', subkey: 'alice' }])
  // @ts-expect-error a place without a subkey is a key
  await dht.getMany([{ key: 'party' }])
  // @ts-expect-error an object is no subkey
  await dht.get('party', { subkey: { name: 'alice' } })

  for await (const { current } of dht.watch('party', { subkey: 'alice' })) {
    same<typeof current, Found<Value> | undefined>(true)
  }

  for await (const { current } of dht.dictionary('party', party).watch({ subkey: 'alice' })) {
    same<typeof current, Found<'yes' | 'no' | 'maybe'> | undefined>(true)
  }

  // @ts-expect-error not a subkey of this dictionary
  dht.dictionary('party', party).watch({ subkey: 7 })
}

export async function typed(): Promise<void> {
  schemaValidator({ rules: [party] })
  const answers = dht.dictionary('party', party, { ttl: 600 })
  await answers.store('alice', 'yes')
  await answers.store('bob', 'no', { ttl: 60 })
  const all = await answers.entries({ latest: true })
  same<typeof all extends Map<string, Found<'yes' | 'no' | 'maybe'>> ? 1 : 2, 1>(true)
  const alice = await answers.get('alice')
  same<typeof alice, Found<'yes' | 'no' | 'maybe'> | undefined>(true)

  for await (const { changes } of answers.watch()) {
    const [change] = changes

    if (change?.type === 'changed') {
      same<typeof change.subkey, string>(true)
      same<typeof change.before, Found<'yes' | 'no' | 'maybe'>>(true)
    }
  }

  const profile = dht.value(['profile', 'alice'], Member)
  await profile.store({ name: 'Alice' }, { ttl: 600 })
  const at = (await profile.get())?.value.at
  same<typeof at, number | undefined>(true)

  const grid = dht.dictionary('grid', {
    subkey: v.tuple([v.number(), v.number()]),
    value: v.object({ colour: v.string() })
  })
  await grid.store([0, 1], { colour: 'blue' }, { expirationTime: 1 })
}

export async function presence(): Promise<void> {
  const room = dht.presence('room/42', Member)
  await using me = room.join({ name: 'Alice' })
  await me.update({ name: 'Alice', at: 3 })

  for await (const { current } of room.watch()) {
    for (const [peer, { value }] of current) {
      same<typeof peer, string>(true)
      same<typeof value.at, number>(true)
    }
  }
}

export async function secrecy(secret: Uint8Array): Promise<void> {
  const team = dht.sealed(secret, { writers: 'anybody' })
  await team.store('plan', { at: 'dawn' }, { ttl: 600 })
  await using me = team.presence('room', Member).join({ name: 'Alice' })
  same<typeof me.value, { name: string; at?: number | undefined }>(true)
  const { peers } = await team.inspect('plan')
  same<(typeof peers)[number]['state'], 'current' | 'behind' | 'empty' | 'failed'>(true)
}

export async function mistakes(): Promise<void> {
  const answers = dht.dictionary('party', party, { ttl: 600 })
  // @ts-expect-error not an answer
  await answers.store('alice', 'perhaps')
  // @ts-expect-error not a subkey of this dictionary
  await answers.store(1, 'yes')
  // @ts-expect-error not one of what is read
  ;(await answers.get('alice'))?.value === 'perhaps'
  // @ts-expect-error handles name no subkey twice
  await answers.store('alice', 'yes', { subkey: 'bob' })

  const profile = dht.value('profile', Member)
  // @ts-expect-error a handle without a ttl wants a lifetime
  await profile.store({ name: 'Alice' })
  // @ts-expect-error exactly one
  await profile.store({ name: 'Alice' }, { ttl: 5, expirationTime: 5 })
  // @ts-expect-error a name is missing
  await profile.store({ at: 1 }, { ttl: 5 })

  // @ts-expect-error what this schema takes can't be stored
  dht.value('when', z.object({ at: z.date() }))
  // @ts-expect-error an object is no subkey
  dht.dictionary('d', { subkey: z.object({ a: z.string() }), value: Answer })
  // @ts-expect-error a passphrase is no secret
  dht.sealed('hunter2')
}
