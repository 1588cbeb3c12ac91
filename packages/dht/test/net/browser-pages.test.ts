import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DHT } from '@waggle/dht'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type {} from '../browser/talking-page.ts'
import { CHROMIUM, ChromiumPages, inChromium } from '../support/chromium.ts'
import { PATIENCE } from '../support/libp2p-node.ts'
import { freeAddress } from '../support/loopback.ts'
import { PeerProcess } from '../support/peer-process.ts'

/** Further globals of a page, besides those of talking-page.ts. */
declare global {
  var talker: DHT
  var heard: unknown[]
}

describe.skipIf(CHROMIUM === undefined)(inChromium('pages that talk to each other'), () => {
  let chromium: ChromiumPages
  let folder: string
  let listenOn: string
  const opened: Page[] = []

  beforeAll(async () => {
    chromium = await ChromiumPages.of('talking-page.ts')
    folder = await mkdtemp(join(tmpdir(), 'waggle-pages-'))
    listenOn = await freeAddress()
  })

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((page) => page.close()))
  })

  afterAll(async () => {
    await chromium?.[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  /** Starts the server with the same identity each time, and without records. */
  function serve(): Promise<PeerProcess> {
    return PeerProcess.start({ listenOn, serveRelay: true, identityPath: join(folder, 'identity') })
  }

  /** Opens a page that joins through the server, and accepts all peers, or only one. */
  async function openPage(only?: string): Promise<Page> {
    const page = await chromium.open('talking')
    opened.push(page)
    await page.evaluate(
      async ([initialPeers, only]) => {
        const { DHT, webRTC } = globalThis.talking
        globalThis.talker = await DHT.create({
          ...{ initialPeers, pages: webRTC({ iceServers: [] }) },
          allowPeer: (peer) => only === undefined || String(peer) === only
        })
      },
      [listenOn, only] as const
    )
    return page
  }

  /** Opens pages that join through the server, and waits until each is connected to each other one. */
  async function openPages(count: number): Promise<Page[]> {
    for (let i = 0; i < count; i++) {
      await openPage()
    }

    for (const page of opened) {
      await expect.poll(() => connections(page), PATIENCE).toEqual({ pages: count - 1, relayed: 0 })
    }

    return opened
  }

  function connections(page: Page): Promise<{ pages: number; relayed: number }> {
    return page.evaluate(() => globalThis.talking.countConnections(globalThis.talker))
  }

  /** Stores in a page. Resolves with the name of the error if that fails. */
  function store(page: Page, key: string, value: string | number): Promise<boolean | string> {
    return page.evaluate(
      ([key, value]) => globalThis.talker.store(key, value, { ttl: 600 }).catch(({ name }) => name),
      [key, value] as const
    )
  }

  /** Reads in a page. Resolves with the name of the error if that fails. */
  function get(page: Page, key: string): Promise<unknown> {
    return page.evaluate(
      (key) =>
        globalThis.talker.get(key).then(
          (found) => found?.value,
          ({ name }) => name
        ),
      key
    )
  }

  it('go on when all servers are gone, and hand over what they hold to one that is back (N15)', async () => {
    await using server = await serve()
    const [a, b] = (await openPages(2)) as [Page, Page]
    expect(await store(a, 'before', 'copied')).toBe(true)
    await b.evaluate(() => {
      const watch = globalThis.talker.watch('during')
      globalThis.heard = []
      watch.subscribe(() => globalThis.heard.push(watch.current?.value))
    })
    const held = (): Promise<number> => a.evaluate(() => globalThis.talker.stats().records)
    expect(await held()).toBe(0)
    expect((await server.stats()).knownPeers).toBe(0)
    await server.kill()

    await expect.poll(() => store(a, 'during', 'first'), PATIENCE).toBe(true)
    await expect.poll(() => get(b, 'during'), PATIENCE).toBe('first')
    await b.waitForFunction(() => globalThis.heard.at(-1) === 'first')
    expect(await store(a, 'during', 'second')).toBe(true)
    await b.waitForFunction(() => globalThis.heard.at(-1) === 'second')
    expect(await get(b, 'before')).toBe('copied')
    expect(await held()).toBe(2)
    // The server may hold it, and be back.
    expect(await get(b, 'never stored')).toBe('UnreachableError')

    await using again = await serve()
    const found = async (key: string): Promise<unknown> =>
      (await again.get(key, { latest: true }))?.value
    await expect.poll(() => found('before'), PATIENCE).toBe('copied')
    await expect.poll(() => found('during'), PATIENCE).toBe('second')
    await expect.poll(held, PATIENCE).toBe(0)
    expect((await again.stats()).knownPeers).toBe(0)
    await expect.poll(() => get(b, 'never stored'), PATIENCE).toBeUndefined()
    expect(await store(b, 'during', 'third')).toBe(true)
    expect(await found('during')).toBe('third')
  })

  it('let in only peers that allowPeer lets in (N9i)', async () => {
    await using server = await serve()
    const shy = await openPage(server.multiaddrs[0]?.split('/p2p/').at(-1))
    const other = await openPage()
    const addresses = (): Promise<string[]> =>
      shy.evaluate(() => globalThis.talker.multiaddrs.map(String).filter((a) => /webrtc/.test(a)))
    await expect.poll(addresses, PATIENCE).not.toEqual([])
    const dialled = other.evaluate(
      async (addresses) => {
        const { multiaddr } = globalThis.talking
        await globalThis.talker.libp2p.dial(addresses.map((address) => multiaddr(address)))
      },
      await addresses()
    )
    await expect(dialled).rejects.toThrow()
    expect(await connections(other)).toEqual({ pages: 0, relayed: 0 })
    expect(await connections(shy)).toEqual({ pages: 0, relayed: 0 })
  })

  it('take themselves for the network when the servers have said goodbye (N15)', async () => {
    const server = await serve()
    const pages = await openPages(3)

    for (const page of pages) {
      expect(await get(page, 'nothing yet')).toBeUndefined()
    }

    await server.stop()

    for (const [i, page] of pages.entries()) {
      await expect.poll(() => store(page, `of page ${i}`, i), PATIENCE).toBe(true)
    }

    for (const page of pages) {
      await expect.poll(() => get(page, 'of page 0'), PATIENCE).toBe(0)
      expect(await get(page, 'of page 1')).toBe(1)
      expect(await get(page, 'of page 2')).toBe(2)
      expect(await get(page, 'never stored')).toBeUndefined()
    }
  })
})
