import { DHT } from '@waggle/dht'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type {} from '../browser/page.ts'
import { browserBundle } from '../support/browser-bundle.ts'
import { CHROMIUM, inChromium, launchChromium, type Site, serveSite } from '../support/chromium.ts'

function workerOf(entry: string): string {
  return `import '${entry}'
    addEventListener('message', async ({ data: initialPeers }) => {
      const peer = await waggle.DHT.create({ initialPeers })
      await peer.store('key', 'from a worker', { ttl: 60 })
      postMessage((await peer.get('key', { latest: true })).value)
      await peer.stop()
    })`
}

describe.skipIf(CHROMIUM === undefined)(inChromium('a page'), () => {
  let site: Site
  let browser: Browser
  let context: BrowserContext
  let servers: DHT[]
  let addresses: string[]

  beforeAll(async () => {
    const { scripts, entry } = await browserBundle('page.ts')
    site = await serveSite(new Map([...scripts, ['/worker.js', workerOf(entry)]]), entry)
    browser = await launchChromium()
    servers = [await DHT.create()]
    servers.push(...(await Promise.all([1, 2].map(() => DHT.create({ initialPeers: joined() })))))
    addresses = joined()
  })

  afterAll(async () => {
    await browser?.close()
    await Promise.all((servers ?? []).map((server) => server.stop()))
    await site?.[Symbol.asyncDispose]()
  })

  beforeEach(async () => {
    context = await browser.newContext()
  })

  afterEach(() => context?.close())

  function joined(): string[] {
    return servers.flatMap(({ multiaddrs }) => multiaddrs.map(String))
  }

  async function opened(): Promise<Page> {
    const page = await context.newPage()
    await page.goto(site.url)
    await page.waitForFunction(() => 'waggle' in globalThis)
    return page
  }

  it('stores, gets and deletes what Node’s peers store, get and delete', async () => {
    const page = await opened()
    await servers[0]?.store('from node', { list: [1, 'two', true] }, { ttl: 60 })
    const seen = await page.evaluate(async (initialPeers) => {
      globalThis.peer = await globalThis.waggle.DHT.create({ initialPeers })
      const { peer } = globalThis
      const stored = await peer.store('from a page', 'value', { ttl: 60 })
      const subkey = await peer.store('table', 1, { subkey: 'page', ttl: 60 })
      const found = await peer.get('from node', { latest: true })
      const many = await peer.storeMany(
        Array.from({ length: 300 }, (_, i) => ({ key: `many ${i}`, value: i, ttl: 60 }))
      )
      const { clientMode, multiaddrs } = peer
      return {
        stored,
        subkey,
        found: found?.value,
        all: many.every(Boolean),
        clientMode,
        multiaddrs
      }
    }, addresses)
    expect(seen).toEqual({
      stored: true,
      subkey: true,
      found: { list: [1, 'two', true] },
      all: true,
      clientMode: true,
      multiaddrs: []
    })
    expect((await servers[1]?.get('from a page', { latest: true }))?.value).toBe('value')
    expect((await servers[2]?.get('many 299', { latest: true }))?.value).toBe(299)
    await page.evaluate(() => globalThis.peer.delete('from a page'))
    expect(await servers[1]?.get('from a page', { latest: true })).toBeUndefined()
    await page.evaluate(() => globalThis.peer.stop())
  })

  it('hears of changes', async () => {
    const page = await opened()
    await page.evaluate(async (initialPeers) => {
      globalThis.peer = await globalThis.waggle.DHT.create({ initialPeers })
      const watch = globalThis.peer.watch('watched')
      globalThis.values = []
      watch.subscribe(() => globalThis.values.push(watch.current?.value))
    }, addresses)
    await servers[0]?.store('watched', 'first', { ttl: 60 })
    await page.waitForFunction(() => globalThis.values.at(-1) === 'first')
    await servers[1]?.store('watched', 'second', { ttl: 90 })
    await page.waitForFunction(() => globalThis.values.at(-1) === 'second')
  })

  it('keeps its identity and its records across reloads', async () => {
    const page = await opened()
    const open = async (initialPeers: readonly string[]) => {
      const { datastore, privateKey } = await globalThis.waggle.openIndexedDB('app')
      const kept = { datastore, privateKey, clientMode: false }
      globalThis.peer = await globalThis.waggle.DHT.create({ initialPeers, ...kept })
      const { restored = 0 } = globalThis.peer.stats().persistence ?? {}
      return { id: String(globalThis.peer.peerId), restored }
    }
    const first = await page.evaluate(open, addresses)
    expect(first.restored).toBe(0)
    await page.evaluate(() =>
      globalThis.peer.storeMany(
        Array.from({ length: 300 }, (_, i) => ({ key: `kept ${i}`, value: i, ttl: 600 }))
      )
    )
    await page.waitForFunction(() => globalThis.peer.stats().persistence?.pending === 0)
    await page.reload()
    await page.waitForFunction(() => 'waggle' in globalThis)
    const second = await page.evaluate(open, addresses)
    expect(second.id).toBe(first.id)
    expect(second.restored).toBeGreaterThanOrEqual(300)
    const found = await page.evaluate(() => globalThis.peer.get('kept 299', { latest: true }))
    expect(found?.value).toBe(299)
    await page.evaluate(() => globalThis.peer.stop())
  })

  it('has its database alone: a second tab is told, or has an identity of its own', async () => {
    const [page, other] = [await opened(), await opened()]
    const idOf = async () => {
      const { privateKey } = await globalThis.waggle.openIndexedDB('shared')
      return String(privateKey.publicKey)
    }
    const id = await page.evaluate(idOf)
    await expect(other.evaluate(idOf)).rejects.toThrow(/StorageInUseError: another tab or worker/)
    const own = await other.evaluate(async () => {
      const { datastore, privateKey } = await globalThis.waggle.openIndexedDB('shared', {
        whenInUse: 'memory'
      })
      return { isKept: datastore !== undefined, id: String(privateKey.publicKey) }
    })
    expect(own.isKept).toBe(false)
    expect(own.id).not.toBe(id)
    await page.close()
    await expect.poll(() => other.evaluate(idOf).catch(() => undefined)).toBe(id)
  })

  it('has a datastore in IndexedDB', async () => {
    const page = await opened()
    const kept = await page.evaluate(async () => {
      const { datastore } = await globalThis.waggle.openIndexedDB('pairs')
      const key = (text: string) => new globalThis.waggle.Key(text)
      const batch = datastore?.batch()
      batch?.put(key('/a/1'), Uint8Array.of(1))
      batch?.put(key('/a/2'), Uint8Array.of(2))
      batch?.put(key('/b/1'), Uint8Array.of(3))
      await batch?.commit()
      const found: string[] = []

      for await (const pair of datastore?.query({ prefix: '/a', limit: 5 }) ?? []) {
        found.push(`${pair.key} ${pair.value}`)
      }

      await datastore?.delete(key('/a/1'))
      return { found, has: await datastore?.has(key('/a/1')) }
    })
    expect(kept).toEqual({ found: ['/a/1 1', '/a/2 2'], has: false })
  })

  it('works in a worker', async () => {
    const page = await opened()
    const value = await page.evaluate(`new Promise((resolve, reject) => {
      const worker = new Worker('/worker.js', { type: 'module' })
      worker.onmessage = ({ data }) => resolve(data)
      worker.onerror = ({ message }) => reject(new Error(message))
      worker.postMessage(${JSON.stringify(addresses)})
    })`)
    expect(value).toBe('from a worker')
  })
})
