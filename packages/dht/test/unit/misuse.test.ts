import {
  compose,
  ownerOf,
  ownerTag,
  ownerValidator,
  recordKey,
  schemaValidator
} from '@waggle/record'
import { afterAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Publications } from '../../src/operations/publications.ts'
import { sealedView } from '../../src/sealed/sealed-view.ts'
import { recordValidatorFor } from '../../src/store/record-validator.ts'
import { operations } from '../support/simulated-operations.ts'
import { Simulation } from '../support/simulated-replicas.ts'

/** Values that JavaScript lets a caller pass by mistake. */
const WRONG = [
  ...[null, 0, -1, Number.NaN, '', 'x', true, 1n, Symbol('bee'), () => {}],
  ...[[], {}, new Date(), new Map(), new Uint8Array(3)]
]

/** Messages of the engine about code that has not checked an argument. */
const ENGINE = /Cannot |is not (a function|iterable)|reading '|\[object /

/** An argument of a call, by name, and the listed values that are valid there. */
type Call = [name: string, call: (value: never) => unknown, isRight?: (value: unknown) => boolean]

async function errorOf(call: () => unknown): Promise<unknown> {
  try {
    await call()
  } catch (error) {
    return error
  }

  return undefined
}

const isNothing = (): boolean => false
const isFunction = (value: unknown): boolean => typeof value === 'function'
const isTrue = (value: unknown): boolean => value === true
const isEmptyObject = (value: unknown): boolean =>
  value !== null && Object.getPrototypeOf(Object(value)) === Object.prototype
const isEmptyList = (value: unknown): boolean => Array.isArray(value) || value instanceof Map

/** Whether a value can be a key or a subkey. */
const isKey = (value: unknown): boolean =>
  !Number.isNaN(value) &&
  (['number', 'string', 'boolean', 'bigint'].includes(typeof value) ||
    value === null ||
    Array.isArray(value) ||
    value instanceof Uint8Array)
const isText = (value: unknown): boolean => typeof value === 'string'
const isNumber = (value: unknown): boolean => typeof value === 'number'

const TTL = { ttl: 60 }
const SCHEMAS = { subkey: z.string(), value: z.number() }

function callsOf(dht: ReturnType<typeof sealedView>): Call[] {
  const publication = dht.publish('publication', 1, TTL)
  const value = dht.value('value', z.number(), TTL)
  const dictionary = dht.dictionary('dictionary', SCHEMAS, TTL)
  const presence = dht.presence('presence', z.number())
  return [
    ['store key', (v) => dht.store(v, 1, TTL), isKey],
    ['store options', (v) => dht.store('k', 1, v)],
    ['store ttl', (v) => dht.store('k', 1, { ttl: v }), isNumber],
    ['store expirationTime', (v) => dht.store('k', 1, { expirationTime: v }), isNumber],
    ['store subkey', (v) => dht.store('k', 1, { ...TTL, subkey: v }), isKey],
    ['store privateKey', (v) => dht.store('k', 1, { ...TTL, privateKey: v })],
    ['store signal', (v) => dht.store('k', 1, { ...TTL, signal: v })],
    ['store timeoutMs', (v) => dht.store('k', 1, { ...TTL, timeoutMs: v })],
    ['delete options', (v) => dht.delete('k', v), isEmptyObject],
    ['delete ttl', (v) => dht.delete('k', { ttl: v }), isNumber],
    ['publish options', (v) => dht.publish('k', 1, v)],
    ['get options', (v) => dht.get('k', v), isEmptyObject],
    ['get signal', (v) => dht.get('k', { signal: v })],
    ['get timeoutMs', (v) => dht.get('k', { timeoutMs: v })],
    ['storeMany entries', (v) => dht.storeMany(v, TTL), isEmptyList],
    ['storeMany entry', (v) => dht.storeMany([v], TTL)],
    ['storeMany options', (v) => dht.storeMany([], v), isEmptyObject],
    ['storeMany ttl', (v) => dht.storeMany([], { ttl: v }), isNumber],
    ['getMany keys', (v) => dht.getMany(v), isEmptyList],
    ['getMany key', (v) => dht.getMany([v]), isKey],
    ['getMany options', (v) => dht.getMany([], v), isEmptyObject],
    ['getMany onProgress', (v) => dht.getMany([], { onProgress: v }), isFunction],
    ['watch key', (v) => dht.watch(v), isKey],
    ['watch options', (v) => dht.watch('k', v), isEmptyObject],
    ['watch signal', (v) => dht.watch('k', { signal: v })],
    ['watch listener', (v) => dht.watch('k').subscribe(v), isFunction],
    ['inspect options', (v) => dht.inspect('k', v), isEmptyObject],
    ['findNearestPeers options', (v) => dht.findNearestPeers('k', v), isEmptyObject],
    ['findNearestPeers count', (v) => dht.findNearestPeers('k', { count: v })],
    ['publication listener', (v) => publication.subscribe(v), isFunction],
    ['publication held', (v) => publication.held(v), isEmptyObject],
    ['publication stop', (v) => dht.publish('s', 1, TTL).stop(v), isEmptyObject],
    ['publication goodbye', (v) => dht.publish('s', 1, TTL).stop({ goodbye: v }), isTrue],
    ['value key', (v) => dht.value(v, z.number()), isKey],
    ['value schema', (v) => dht.value('k', v)],
    ['value options', (v) => dht.value('k', z.number(), v), isEmptyObject],
    ['value ttl', (v) => dht.value('k', z.number(), { ttl: v })],
    ['value privateKey', (v) => dht.value('k', z.number(), { privateKey: v })],
    ['value.store options', (v) => value.store(1, v), isEmptyObject],
    ['value.store subkey', (v) => value.store(1, { subkey: v } as never)],
    ['value.get options', (v) => value.get(v), isEmptyObject],
    ['value.delete options', (v) => value.delete(v), isEmptyObject],
    ['value.publish options', (v) => value.publish(1, v), isEmptyObject],
    ['value.watch options', (v) => value.watch(v), isEmptyObject],
    ['dictionary key', (v) => dht.dictionary(v, SCHEMAS), isKey],
    ['dictionary schemas', (v) => dht.dictionary('k', v)],
    ['dictionary options', (v) => dht.dictionary('k', SCHEMAS, v), isEmptyObject],
    ['dictionary.store options', (v) => dictionary.store('a', 1, v), isEmptyObject],
    ['dictionary.get options', (v) => dictionary.get('a', v), isEmptyObject],
    ['dictionary.entries options', (v) => dictionary.entries(v), isEmptyObject],
    ['dictionary.delete subkey', (v) => dictionary.delete(v), isText],
    ['dictionary.delete options', (v) => dictionary.delete('a', v), isEmptyObject],
    ['dictionary.watch options', (v) => dictionary.watch(v), isEmptyObject],
    ['dictionary.watch subkey', (v) => dictionary.watch({ subkey: v }), isText],
    ['presence key', (v) => dht.presence(v, z.number()), isKey],
    ['presence ttl', (v) => dht.presence('k', z.number(), { ttl: v })],
    ['presence.members options', (v) => presence.members(v), isEmptyObject],
    ['presence.watch options', (v) => presence.watch(v), isEmptyObject]
  ]
}

const RULE = { key: 'k', value: z.number() }

/** Functions that need no node. */
const FUNCTIONS: Call[] = [
  ['schemaValidator', (v) => schemaValidator(v)],
  ['schemaValidator rules', (v) => schemaValidator({ rules: v }), (v) => Array.isArray(v)],
  ['schemaValidator rule', (v) => schemaValidator({ rules: [v] })],
  [
    'schemaValidator rule.other',
    (v) => schemaValidator({ rules: [{ ...RULE, other: v }] } as never)
  ],
  ['schemaValidator allowSealed', (v) => schemaValidator({ rules: [], allowSealed: v }), isTrue],
  ['schemaValidator other', (v) => schemaValidator({ rules: [], other: v } as never)],
  ['ownerValidator', (v) => ownerValidator(v)],
  ['ownerValidator keys', (v) => ownerValidator({ keys: v }), (v) => Array.isArray(v)],
  ['ownerValidator key', (v) => ownerValidator({ keys: [v] })],
  ['ownerValidator owner', (v) => ownerValidator({ keys: [], owners: [v] })],
  ['compose', (v) => compose(v)],
  ['ownerTag', (v) => ownerTag(v)],
  ['ownerOf', (v) => ownerOf(v), isKey],
  ['recordValidatorFor', (v) => recordValidatorFor(v), isEmptyObject]
]

async function assertRefused([name, call, isRight = isNothing]: Call): Promise<void> {
  for (const value of WRONG) {
    const error = await errorOf(() => call(value as never))
    const what = `${name}: ${typeof value} ${Object(value).constructor.name}, ${String(error)}`

    if (isRight(value)) {
      expect(error, what).not.toBeInstanceOf(TypeError)
    } else {
      expect(error, what).toBeInstanceOf(Error)
      expect((error as Error).name, what).toMatch(/^(Type|Validation|InvalidKey)Error$/)
      expect((error as Error).message, what).not.toMatch(ENGINE)
    }
  }
}

describe('a wrong argument', () => {
  const stopping = new AbortController()
  const net = new Simulation(recordKey('k'), { size: 6 })
  const publications = new Publications(net.clock)
  const dht = operations(net, { publications, lifetime: stopping.signal })

  afterAll(() => {
    stopping.abort()
    publications.stop()
  })

  it.each(callsOf(dht))('of a DHT is refused with its name: %s', async (...call) => {
    await assertRefused(call)
  })

  it.each(callsOf(sealedView(dht, new Uint8Array(32))))(
    'of a sealed view is refused with its name: %s',
    async (...call) => {
      await assertRefused(call)
    }
  )

  it.each(FUNCTIONS)('of a function is refused with its name: %s', async (...call) => {
    await assertRefused(call)
  })
})
