import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { webSockets } from '@libp2p/websockets'
import { DHT } from '@waggle/dht'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BrowserBundle, browserBundle } from '../support/browser-bundle.ts'
import { stockNode } from '../support/stock-node.ts'

/** Bytes that a page loads for `DHT`, compressed (docs/browsers.md). */
const BUDGET_BYTES = 250_000

describe('the build for browsers', () => {
  let bundle: BrowserBundle
  let folder: string
  let server: DHT

  /** The class as pages load it. Here it runs in Node, which has a standard WebSocket. */
  let InBrowser: typeof DHT

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'waggle-browser-'))
    bundle = await browserBundle('dht-only.ts')

    for (const { fileName, code } of bundle.chunks) {
      writeFileSync(join(folder, fileName), code)
    }

    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    const [entry] = bundle.chunks
    const url = pathToFileURL(join(folder, entry?.fileName ?? '')).href
    InBrowser = (await import(/* @vite-ignore */ url)).DHT
    server = await DHT.create()
  })

  afterAll(async () => {
    await server?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('reaches no module of Node', () => {
    expect(bundle.externals).toEqual([])
    expect(bundle.chunks.some(({ code }) => /\bfrom\s*["']node:/.test(code))).toBe(false)
  })

  it('keeps its budget', () => {
    expect(bundle.gzipBytes).toBeLessThan(BUDGET_BYTES)
  })

  it('is a client, which takes the address that a server prints', async () => {
    const [tcp = ''] = server.multiaddrs
    await using page = await InBrowser.create({ initialPeers: String(tcp) })
    expect(page.clientMode).toBe(true)
    expect(page.multiaddrs).toEqual([])
    expect(await page.store('key', { from: 'a page' }, { ttl: 60 })).toBe(true)
    expect((await server.get('key'))?.value).toEqual({ from: 'a page' })
    expect((await page.get('key'))?.value).toEqual({ from: 'a page' })
    const [connection] = page.libp2p.getConnections()
    expect(String(connection?.remoteAddr)).toContain('/ws')
  })

  it('takes a URL, and hears of changes', async () => {
    const port = /\/tcp\/(\d+)/.exec(String(server.multiaddrs[0]))?.[1]
    await using page = await InBrowser.create({ initialPeers: `ws://localhost:${port}` })
    const watch = page.watch('watched')
    await server.store('watched', 'changed', { ttl: 60 })

    for await (const { current } of watch) {
      if (current?.value === 'changed') {
        break
      }
    }
  })

  it('is a server, if it is to be, with all of kad-dht', async () => {
    await using page = await InBrowser.create({
      clientMode: false,
      initialPeers: server.multiaddrs.map(String)
    })
    expect(page.clientMode).toBe(false)
    expect(await page.store('served', 1, { ttl: 60 })).toBe(true)
    expect(page.stats().records).toBeGreaterThan(0)
  })

  it('reads and writes at plain kad-dht peers', async () => {
    await using plain = await stockNode(
      {},
      { addresses: { listen: ['/ip4/127.0.0.1/tcp/0/ws'] }, transports: [webSockets()] }
    )
    const initialPeers = plain.getMultiaddrs().map(String)
    await using page = await InBrowser.create({ initialPeers })
    await using node = await DHT.create({ initialPeers, clientMode: true })
    expect(await page.store('plain', 'from a page', { ttl: 60 })).toBe(true)
    expect((await node.get('plain', { latest: true }))?.value).toBe('from a page')
    expect(await node.store('plain', 'from Node', { ttl: 90 })).toBe(true)
    expect((await page.get('plain', { latest: true }))?.value).toBe('from Node')
    expect(await page.get('nothing', { latest: true })).toBeUndefined()
  })

  it.each([
    ['listenOn', '127.0.0.1:0', /can’t listen.*initialPeers/],
    ['dataDir', 'data', /openIndexedDB\(\)/],
    ['identityPath', 'identity', /openIndexedDB\(\).*privateKey/],
    ['serveRelay', true, /waggle serve/]
  ])('refuses %s, and names the alternative', async (name, value, alternative) => {
    const creation = InBrowser.create({ [name]: value })
    await expect(creation).rejects.toThrow(alternative)
    await expect(creation).rejects.toMatchObject({ name: 'TypeError' })
  })

  it('does not dial what only peers have named on a private address (N13o)', async () => {
    await using other = await DHT.create({ initialPeers: server.multiaddrs })
    await using page = await InBrowser.create({ initialPeers: String(server.multiaddrs[0]) })
    expect(await page.findNearestPeers('key')).not.toEqual([])
    expect(page.libp2p.getConnections(other.peerId as never)).toEqual([])
  })
})
