// Valid and invalid uses of the API, for the compiler only: nothing here runs.
import {
  DEFAULTS,
  DHT,
  Dictionary,
  type Found,
  getDHTTime,
  type Key,
  ownerOf,
  ownerTag,
  type Publication,
  type StoreReport,
  type Value
} from '@waggle/dht'
import type { PublicationState } from '@waggle/dht/handles'
import { z } from 'zod'

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
declare function same<A, B>(check: Equal<A, B>): void

declare const dht: DHT
declare const brand: unique symbol

interface Point {
  readonly x: number
  readonly y?: number
}

interface Tree {
  readonly name: string
  readonly children: readonly Tree[]
}

type UserId = string & { readonly [brand]: 'UserId' }
type Entry = { type: 'text'; text: string } | { type: 'numbers'; numbers: bigint[] }

const Profile = z.object({ name: z.string(), born: z.number().optional() })
const Member = z.object({ name: z.string(), at: z.number().default(0) })
const Answer = z.enum(['yes', 'no'])

/** Stores everything that is made of values. */
export async function storable<T extends Value>(value: T, id: UserId, tree: Tree): Promise<void> {
  const point: Point = { x: 1 }
  const profile: z.infer<typeof Profile> = { name: 'Alice' }
  const entry: Entry = { type: 'numbers', numbers: [1n] }
  await dht.store('an interface', point, { ttl: 60 })
  await dht.store('nested', { points: [point], on: true, none: null }, { ttl: 60 })
  await dht.store('recursive', tree, { ttl: 60 })
  await dht.store('branded', id, { ttl: 60 })
  await dht.store(id, 'under a branded key', { ttl: 60 })
  await dht.store('generic', value, { ttl: 60 })
  await dht.store('optional', profile, { ttl: 60 })
  await dht.store('a union', entry, { ttl: 60 })
  await dht.store('bytes', Uint8Array.of(1), { ttl: 60 })
  await dht.store('JSON', JSON.parse('{}'), { ttl: 60 })
  dht.publish('published', point, { ttl: 60 })
}

/** Gives one of two lifetimes. */
export async function lifetimes(): Promise<void> {
  await dht.store('key', 1, { ttl: 60 })
  await dht.store('key', 1, { expirationTime: getDHTTime() + 60 })
  await dht.store('key', 1, { ttl: 60, expirationTime: undefined })
  await dht.storeMany([{ key: 'a', value: 1 }], { ttl: 60 })
  await dht.storeMany([{ key: 'a', value: 1, ttl: 60 }])
  await dht.delete('key')
  await dht.delete('key', { subkey: 'a', ttl: 60 })

  // @ts-expect-error none
  await dht.store('key', 1, {})
  // @ts-expect-error no options
  await dht.store('key', 1)
  // @ts-expect-error both
  await dht.store('key', 1, { ttl: 5, expirationTime: 5 })
  // @ts-expect-error one that is undefined
  await dht.store('key', 1, { ttl: undefined })
  // @ts-expect-error a word that is no option
  await dht.store('key', 1, { ttl: 5, subKey: 'b' })
  // @ts-expect-error what is published has no fixed end
  dht.publish('key', 1, { expirationTime: 5 })
}

/** Stores nothing that cannot be stored, however deep it is. */
export async function unstorable(): Promise<void> {
  // @ts-expect-error an instance of a class
  await dht.store('key', new Date(), { ttl: 5 })
  // @ts-expect-error inside an array
  await dht.store('key', { list: [{ at: new Date() }] }, { ttl: 5 })
  // @ts-expect-error a Map
  await dht.store('key', new Map([['b', 1]]), { ttl: 5 })
  // @ts-expect-error a function
  await dht.store('key', { f: () => 1 }, { ttl: 5 })
  // @ts-expect-error undefined in an array
  await dht.store('key', [1, undefined], { ttl: 5 })
  // @ts-expect-error undefined itself
  await dht.store('key', undefined, { ttl: 5 })
  // @ts-expect-error an unknown
  await dht.store('key', JSON.parse('1') as unknown, { ttl: 5 })
  // @ts-expect-error a class instance, published
  dht.publish('key', new Date(), { ttl: 5 })
  // @ts-expect-error an object as a key
  await dht.get({ name: 'a' })
  // @ts-expect-error a schema whose input is a Date
  dht.value('when', z.object({ at: z.date() }))
}

/** Returns booleans, unless a report is asked for. */
export async function outcomes(): Promise<void> {
  same<Awaited<ReturnType<typeof store>>, boolean>(true)
  const report = await dht.store('key', 'red', { ttl: 30, report: true })
  same<typeof report, StoreReport>(true)

  switch (report.outcome) {
    case 'beaten':
      same<typeof report.by, Found | 'a deletion'>(true)
      break
    case 'held':
    case 'expired':
    case 'full':
    case 'refused':
    case 'busy':
    case 'unreachable':
      same<typeof report.by, undefined>(true)
      break
    default:
      report satisfies never
  }

  const [first] = await dht.storeMany([{ key: 'a', value: 1 }], { ttl: 60, report: true })
  same<typeof first, StoreReport | undefined>(true)
  // @ts-expect-error by is known only where something won
  report.by.value
  // @ts-expect-error a report is no boolean
  report satisfies boolean

  async function store() {
    return dht.store('key', 1, { ttl: 5, retry: true })
  }
}

/** Reads values, dictionaries that find arrays, and owners. */
export async function reading(): Promise<void> {
  const found = await dht.get('party', { latest: true })
  same<typeof found, Found | undefined>(true)

  if (found?.value instanceof Dictionary) {
    same<typeof found.value, Dictionary>(true)
    same<ReturnType<typeof found.value.get>, Found<Value> | undefined>(true)
    found.value.get(['an', 'array'])?.owner satisfies string | undefined
  }

  const alice = await dht.get('party', { subkey: 'alice' })
  same<typeof alice, Found<Value> | undefined>(true)
  await dht.getMany(['a', { key: 'party', subkey: 'alice' }])
  same<ReturnType<typeof ownerOf>, string | undefined>(true)
  ownerOf(ownerTag(dht.peerId))
  // @ts-expect-error found values are not to be changed
  DEFAULTS.limits.maxSubkeys = 1
}

/** Publishes. Handles and presences return the same kind of publication. */
export async function publishing(): Promise<void> {
  await using service = dht.publish('service', { url: 'http://…' }, { ttl: 10, goodbye: true })
  await service.held()
  await service.update({ url: 'http://…/v2', tags: ['new'] })
  same<typeof service.state, PublicationState>(true)
  same<typeof service.error, Error | undefined>(true)
  // @ts-expect-error a Date can't be stored
  await service.update(new Date())

  const member = dht.presence('room', Member).join({ name: 'Alice' })
  member satisfies Publication<{ name: string; at?: number | undefined }>
  await member.update({ name: 'Alice', at: 3 })
  // @ts-expect-error a name is missing
  await member.update({ at: 3 })

  const answers = dht.dictionary('party', { subkey: z.string(), value: Answer }, { ttl: 600 })
  answers.publish('alice', 'yes', { goodbye: true })
  // @ts-expect-error no such answer
  answers.publish('alice', 'perhaps')
  const profile = dht.value('profile', Profile)
  profile.publish({ name: 'Alice' }, { ttl: 60 })
  // @ts-expect-error a handle without a ttl wants one
  profile.publish({ name: 'Alice' })
}

/** Watches without exceptions, and hears of renewals on request only. */
export async function watching(signal: AbortSignal, key: Key): Promise<void> {
  await using watch = dht.watch(key, { signal })
  same<typeof watch.current, Found | undefined>(true)
  watch.subscribe(({ changes: [change] }) => {
    if (change?.type === 'removed') {
      same<typeof change.reason, 'deleted' | 'expired'>(true)
    }

    // @ts-expect-error renewals were not asked for
    change?.type === 'renewed'
  })

  for await (const { current } of dht
    .dictionary('party', { subkey: z.string(), value: Answer })
    .watch()) {
    same<typeof current, Dictionary<string, 'yes' | 'no'>>(true)
  }
}

/** Uses the same operations in sealed views. */
export async function sealed(secret: Uint8Array): Promise<void> {
  const team = dht.sealed(secret)
  await team.store('plan', { at: 'dawn' } satisfies { at: string }, { ttl: 600 })
  await using me = team.presence('room', Member).join({ name: 'Alice' })
  me.state satisfies PublicationState
  await team.delete('plan')
  // @ts-expect-error no secret is a string
  dht.sealed('hunter2')
}

/** Hivemind's cache policies have their names, and two more say how old an answer may be. */
export async function caching(): Promise<DHT> {
  const { size, nearest, locally, onStore, refreshBeforeExpiry } = DEFAULTS.cache
  const likeHivemind = { size, nearest, locally, onStore, refreshBeforeExpiry }
  const ages = { maxAge: Number.POSITIVE_INFINITY, revalidateAfter: 5 }
  const own = await DHT.create({ cache: { ...likeHivemind, ...ages } })
  await own.get('key', { maxAge: 0 })
  return own
}
