import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Libp2p } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { DEFAULT_LIMITS } from '@waggle/record/replica'

import { MemoryDatastore } from 'datastore-core'
import { describe, expect, it } from 'vitest'
import {
  DEFAULT_BOOTSTRAP_TIMEOUT_MS,
  DEFAULT_KAD_PROTOCOL,
  DEFAULT_NUM_REPLICAS,
  DEFAULT_REQUEST_TIMEOUT_MS
} from '../../src/constants.ts'
import { waggleKadDHT } from '../../src/kad/waggle-kad-dht.ts'
import type { DHTOptions } from '../../src/node/options.ts'
import { settingsOf } from '../../src/node/settings.ts'
import { webRTC } from '../../src/node/webrtc.ts'
import { DEFAULT_NODE_LIMITS } from '../../src/node-limits.ts'
import { waggle } from '../../src/service/service.ts'
import type { WaggleInit } from '../../src/service/service-options.ts'

/** A stand-in for a running node, which is never used. */
const node = { dial: () => {} } as unknown as Libp2p

function settingsFor(options: unknown): ReturnType<typeof settingsOf> {
  return settingsOf(options as DHTOptions)
}

const wrongNumbers = [0, -1, Number.NaN, Number.POSITIVE_INFINITY, '5', null, true, 5n]
const notText = ['', 5, null, {}, true]
const notBoolean = [0, 1, 'true', null, {}]
const notAnObject = [5, 'text', null, true]
const notAnAddress = ['bees', 1337, null, {}, ['127.0.0.1:1', 'bees']]

const WRONG: [option: string, value: unknown][] = [
  ...notAnAddress.map((value): [string, unknown] => ['listenOn', value]),
  ...notAnAddress.map((value): [string, unknown] => ['initialPeers', value]),
  ...notAnAddress.map((value): [string, unknown] => ['announce', value]),
  ...notBoolean.map((value): [string, unknown] => ['clientMode', value]),
  ...notBoolean.map((value): [string, unknown] => ['requireBootstrap', value]),
  ...notBoolean.map((value): [string, unknown] => ['strictClock', value]),
  ...notBoolean.map((value): [string, unknown] => ['relay', value]),
  ...notBoolean.map((value): [string, unknown] => ['serveRelay', value]),
  ...notText.map((value): [string, unknown] => ['swarmKey', value]),
  ...[...wrongNumbers, 1.5, 21].map((value): [string, unknown] => ['numReplicas', value]),
  ...wrongNumbers.map((value): [string, unknown] => ['bootstrapTimeoutMs', value]),
  ...wrongNumbers.map((value): [string, unknown] => ['requestTimeoutMs', value]),
  ...notText.map((value): [string, unknown] => ['protocol', value]),
  ...notText.map((value): [string, unknown] => ['identityPath', value]),
  ...notText.map((value): [string, unknown] => ['dataDir', value]),
  ...[...notAnObject, {}].map((value): [string, unknown] => ['datastore', value]),
  ...[5, '', 'safe', null, true].map((value): [string, unknown] => ['durability', value]),
  ...[...notAnObject, {}].map((value): [string, unknown] => ['privateKey', value]),
  ...[...notAnObject, {}].map((value): [string, unknown] => ['libp2p', value]),
  ...[...notAnObject, {}].map((value): [string, unknown] => ['signal', value]),
  ...[...notAnObject, {}].map((value): [string, unknown] => ['logger', value]),
  ...[...notAnObject, {}].map((value): [string, unknown] => ['metrics', value]),
  ...notAnObject.map((value): [string, unknown] => ['libp2pOptions', value]),
  ...notAnObject.map((value): [string, unknown] => ['limits', value])
]

describe('settingsOf', () => {
  it('fills in the defaults', () => {
    const settings = settingsOf({})

    expect(settings).toMatchObject({
      initialPeers: [],
      announce: [],
      clientMode: false,
      numReplicas: DEFAULT_NUM_REPLICAS,
      protocol: DEFAULT_KAD_PROTOCOL,
      limits: DEFAULT_LIMITS,
      requireBootstrap: true,
      strictClock: false,
      bootstrapTimeoutMs: DEFAULT_BOOTSTRAP_TIMEOUT_MS,
      requestTimeoutMs: DEFAULT_REQUEST_TIMEOUT_MS,
      libp2pOptions: {}
    })
    expect(settings.listenOn.map(String)).toEqual(['/ip4/127.0.0.1/tcp/0'])
  })

  it('takes an option that is undefined for one that is left out', () => {
    const names = [...new Set(WRONG.map(([option]) => option))]
    const nothing = Object.fromEntries(names.map((option) => [option, undefined]))

    expect(settingsFor(nothing)).toEqual(settingsOf({}))
  })

  it('has a client listen nowhere unless it is told to', () => {
    const listenOn = '127.0.0.1:1337'

    expect(settingsOf({ clientMode: true }).listenOn).toEqual([])
    expect(settingsOf({ clientMode: true, listenOn }).listenOn).toHaveLength(1)
  })

  it('has a node that is reached through relays be a client that listens nowhere else', () => {
    expect(settingsOf({ relay: true })).toMatchObject({ clientMode: true, listenOn: [] })
    expect(settingsOf({ relay: true, clientMode: true }).clientMode).toBe(true)
    expect(settingsOf({ relay: true, listenOn: ':1337' }).listenOn).toHaveLength(1)
    expect(settingsOf({ serveRelay: true })).toMatchObject({ clientMode: false, relay: false })
  })

  it('has pages in browsers only', () => {
    const pages = { transport: () => expect.unreachable(), join: () => expect.unreachable() }
    expect(() => settingsOf({ pages })).toThrow(/^pages: pages are in browsers.*listenOn/)
    expect(() => settingsFor({ pages: true })).toThrow(/^pages must be webRTC\(\) of/)
    expect(() => webRTC()).toThrow(TypeError)
    expect(() => webRTC()).toThrow('webRTC() is for pages in browsers')
  })

  it.each([
    [{ relay: true, clientMode: false }, 'leave out clientMode: false'],
    [{ relay: true, serveRelay: true }, "can't be combined with relay"],
    [{ clientMode: true, serveRelay: true }, "can't be combined with relay or clientMode"]
  ])('refuses %j, which contradicts itself', (options, message) => {
    expect(() => settingsFor(options)).toThrow(TypeError)
    expect(() => settingsFor(options)).toThrow(message)
  })

  it.each(['listenOn', 'initialPeers', 'announce'] as const)(
    'reads %s as one or as many',
    (option) => {
      const one = '127.0.0.1:1'
      const many = [one, '[::1]:2', '/ip4/10.0.0.1/tcp/3', multiaddr('/ip4/10.0.0.1/tcp/4')]

      expect(settingsFor({ [option]: one })[option].map(String)).toEqual(['/ip4/127.0.0.1/tcp/1'])
      expect(settingsFor({ [option]: many })[option].map(String)).toEqual([
        '/ip4/127.0.0.1/tcp/1',
        '/ip6/::1/tcp/2',
        '/ip4/10.0.0.1/tcp/3',
        '/ip4/10.0.0.1/tcp/4'
      ])
      expect(settingsFor({ [option]: [] })[option]).toEqual([])
    }
  )

  it('passes on what it has no opinion about', async () => {
    const { signal } = new AbortController()
    const privateKey = await generateKeyPair('Ed25519')
    const libp2pOptions = { nodeInfo: { name: 'bees' } }

    expect(settingsOf({ signal, privateKey, libp2pOptions })).toMatchObject({
      signal,
      privateKey,
      libp2pOptions
    })
  })

  it('keeps the limits that are not named (R12)', () => {
    expect(settingsOf({ limits: { maxTtl: 60 } }).limits).toEqual({ ...DEFAULT_LIMITS, maxTtl: 60 })
  })

  it.each(Object.keys(DEFAULT_LIMITS))(
    'refuses a limits.%s that is no positive number',
    (limit) => {
      for (const value of wrongNumbers) {
        expect(() => settingsFor({ limits: { [limit]: value } })).toThrow(TypeError)
        expect(() => settingsFor({ limits: { [limit]: value } })).toThrow(`limits.${limit} must be`)
      }
    }
  )

  it('tells the limits of records from those of the node, and fills in both (R12, N9d)', () => {
    const { limits, nodeLimits } = settingsOf({ limits: { maxTtl: 60, maxStoredRecords: 5 } })

    expect(limits).toEqual({ ...DEFAULT_LIMITS, maxTtl: 60 })
    expect(nodeLimits).toEqual({ ...DEFAULT_NODE_LIMITS, maxStoredRecords: 5 })
  })

  it.each(Object.keys(DEFAULT_NODE_LIMITS).filter((limit) => limit !== 'maxForwardedKeys'))(
    'refuses a limits.%s that is no integer from 1 up, here and in waggle() (N9d)',
    (limit) => {
      for (const value of [...wrongNumbers, 0.5, 1.5]) {
        const limits = { [limit]: value }
        expect(() => settingsFor({ limits })).toThrow(
          `limits.${limit} must be an integer from 1 up, got `
        )
        expect(() => waggle({ limits })).toThrow(TypeError)
      }
    }
  )

  it('lets a node forward no changes (N10h)', () => {
    const limits = (maxForwardedKeys: number) => ({ limits: { maxForwardedKeys } })
    expect(settingsOf(limits(0)).nodeLimits.maxForwardedKeys).toBe(0)

    for (const wrong of [-1, 0.5, Number.NaN]) {
      expect(() => settingsOf(limits(wrong))).toThrow('must be an integer from 0 to 65536, got')
    }
  })

  it('takes a limit that is undefined for one that is left out (R12, N9d)', () => {
    const limits = { maxTtl: undefined, maxCalls: undefined }

    expect(settingsFor({ limits })).toMatchObject({
      limits: DEFAULT_LIMITS,
      nodeLimits: DEFAULT_NODE_LIMITS
    })
  })

  it.each([{ maxRecordBytes: 2 ** 22 }, { maxKeyBytes: 60_001 }])(
    'refuses limits by which a record fits no message, here and in waggleKadDHT(): %j',
    (limits) => {
      for (const take of [
        () => settingsOf({ limits }),
        () => waggleKadDHT({ records: { limits } })
      ]) {
        expect(take).toThrow(TypeError)
        expect(take).toThrow(
          /^limits\.max(Record|Key)Bytes must be at most \d+, or it fits no message/
        )
      }
    }
  )

  it('takes a cache that leaves no copies with other peers', () => {
    expect(settingsOf({ cache: { nearest: 0 } }).cache).toEqual({ nearest: 0 })
    expect(() => settingsOf({ cache: { nearest: -1 } })).toThrow('cache.nearest must be an integer')
  })

  it('names the limits that there are when it is given another', () => {
    expect(() => settingsFor({ limits: { maxSize: 5 } })).toThrow(TypeError)
    expect(() => settingsFor({ limits: { maxSize: 5 } })).toThrow(
      /limits has no option maxSize; it has maxKeyBytes, .*maxTtl/
    )
  })

  it.each(WRONG)('refuses the %s %o, naming the option', (option, value) => {
    expect(() => settingsFor({ [option]: value })).toThrow(TypeError)
    expect(() => settingsFor({ [option]: value })).toThrow(new RegExp(`^${option}(:| must be) `))
  })

  it.each([
    ['validators must be an array', {}],
    ['validators[0] must be a RecordValidator', [{}]],
    ['validators[1] must be a RecordValidator', [{ validate: () => true }, 'schema']]
  ])('says that %s', (message, validators) => {
    expect(() => settingsFor({ validators } as never)).toThrow(TypeError)
    expect(() => settingsFor({ validators } as never)).toThrow(message)
  })

  it.each([
    ['listen', ': did you mean listenOn?'],
    ['initial_peers', ': did you mean initialPeers?'],
    ['dataDirectory', ': did you mean dataDir?'],
    ['port', '; it has listenOn, initialPeers, '],
    ['toString', '; it has listenOn, initialPeers, '],
    ['__proto__', '; it has listenOn, initialPeers, ']
  ])('refuses the unknown option %s, naming those that may be meant', (option, names) => {
    const options = JSON.parse(`{ "${option}": 5 }`)

    expect(() => settingsFor(options)).toThrow(TypeError)
    expect(() => settingsFor(options)).toThrow(`DHT.create has no option ${option}${names}`)
  })

  it.each([null, 5, 'text'])('refuses %j in place of the options', (options) => {
    expect(() => settingsFor(options)).toThrow(TypeError)
    expect(() => settingsFor(options)).toThrow('the options of DHT.create must be an object')
  })

  it('refuses both a key and a path to one', async () => {
    const privateKey = await generateKeyPair('Ed25519')

    expect(() => settingsOf({ privateKey, identityPath: 'key' })).toThrow(TypeError)
    expect(() => settingsOf({ privateKey, identityPath: 'key' })).toThrow(
      'give either privateKey or identityPath, not both'
    )
  })

  it('takes one place to keep records, and how safe it is to be', () => {
    const datastore = new MemoryDatastore()

    expect(settingsOf({}).persistence).toEqual({})
    expect(settingsOf({ dataDir: 'data', durability: 'synced' }).persistence).toEqual({
      dataDir: 'data',
      durability: 'synced'
    })
    expect(settingsOf({ datastore, durability: 'relaxed' }).persistence).toEqual({
      datastore,
      durability: 'relaxed'
    })
  })

  it.each([
    [{ dataDir: 'data', datastore: new MemoryDatastore() }, 'give either dataDir or datastore'],
    [{ durability: 'written' }, 'durability needs a dataDir or a datastore'],
    [
      { datastore: new MemoryDatastore(), durability: 'synced' },
      "durability 'synced' needs a dataDir"
    ]
  ])('refuses %o, which does not go together', (options, message) => {
    expect(() => settingsFor(options)).toThrow(TypeError)
    expect(() => settingsFor(options)).toThrow(message)
    expect(() => waggle(options as WaggleInit)).toThrow(message)
  })

  it('takes beside a node of the caller only what concerns joining', () => {
    const settings = {
      initialPeers: [':1337'],
      requireBootstrap: false,
      strictClock: true,
      bootstrapTimeoutMs: 5,
      signal: new AbortController().signal
    }

    expect(settingsOf({ libp2p: node, ...settings }).libp2p).toBe(node)
  })

  it.each([
    ['listenOn', ':1337'],
    ['announce', ':1337'],
    ['clientMode', true],
    ['relay', true],
    ['serveRelay', true],
    ['numReplicas', 3],
    ['identityPath', 'key'],
    ['dataDir', 'data'],
    ['protocol', '/bees/1.0.0'],
    ['swarmKey', `/key/swarm/psk/1.0.0/\n/base16/\n${'a1'.repeat(32)}`],
    ['limits', { maxTtl: 60 }],
    ['requestTimeoutMs', 50],
    ['libp2pOptions', {}]
  ])('refuses %s beside a node of the caller, and says where it belongs', (option, value) => {
    expect(() => settingsFor({ libp2p: node, [option]: value })).toThrow(TypeError)
    expect(() => settingsFor({ libp2p: node, [option]: value })).toThrow(
      `${option} can't be combined with libp2p: configure the node itself`
    )
  })
})
