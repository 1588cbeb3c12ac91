import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DHT } from '@waggle/dht'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type {} from '../browser/talking-page.ts'
import { CHROMIUM_PATH, ChromiumPages } from '../support/chromium.ts'
import { PATIENCE } from '../support/libp2p-node.ts'
import { freeAddress } from '../support/loopback.ts'
import { PeerProcess } from '../support/peer-process.ts'

/** What the tests keep in a page, beside what talking-page.ts puts there. */
declare global {
  var talker: DHT
  var heard: unknown[]
}

const TITLE =
  CHROMIUM_PATH === undefined
    ? 'pages that talk to each other (SKIPPED: Chromium is not installed)'
    : 'pages that talk to each other in Chromium'

describe.skipIf(CHROMIUM_PATH === undefined)(TITLE, () => {
  let chromium: ChromiumPages
  let folder: string
  let listenOn: string

  beforeAll(async () => {
    chromium = await ChromiumPages.of('talking-page.ts')
    folder = await mkdtemp(join(tmpdir(), 'waggle-pages-'))
    listenOn = await freeAddress()
  })

  afterAll(async () => {
    await chromium?.[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  /** Starts the server: each time the same one, which has forgotten all records. */
  function serve(): Promise<PeerProcess> {
    return PeerProcess.start({ listenOn, serveRelay: true, identityPath: join(folder, 'identity') })
  }

  /** Opens a page that has joined through the server. */
  async function joined(): Promise<Page> {
    const page = await chromium.open('talking')
    await page.evaluate(async (initialPeers) => {
      const { DHT, webRTC } = globalThis.talking
      globalThis.talker = await DHT.create({ initialPeers, pages: webRTC({ iceServers: [] }) })
    }, listenOn)
    return page
  }

  /** Waits until each page has a connection by WebRTC to each other one. */
  async function untilConnected(pages: readonly Page[]): Promise<void> {
    for (const page of pages) {
      await expect
        .poll(() => page.evaluate(() => globalThis.talking.countPages(globalThis.talker)), PATIENCE)
        .toBe(pages.length - 1)
    }
  }

  it('go on when all servers are gone, and hand over what they hold to one that is back (N15)', async () => {
    const t0 = Date.now()
    await using first = await serve()
    console.log('server', Date.now() - t0)
    const [a, b] = [await joined(), await joined()]
    console.log('joined', Date.now() - t0)
    await untilConnected([a, b])
    console.log('connected', Date.now() - t0)
    expect(await a.evaluate(() => globalThis.talker.store('before', 'kept', { ttl: 600 }))).toBe(true)
    expect(await a.evaluate(() => globalThis.talker.stats().records)).toBe(0)
    console.log(JSON.stringify(await first.stats()))
    await first.kill()
    const t = Date.now()
    await expect.poll(() => b.evaluate(() => globalThis.talker.store('during', 'value', { ttl: 600 }).catch((error) => String(error))), PATIENCE).toBe(true)
    console.log('stored after', Date.now() - t)
    await expect.poll(() => a.evaluate(() => globalThis.talker.get('during').then((found) => found?.value, String)), PATIENCE).toBe('value')
    console.log('read after', Date.now() - t)
    console.log(await b.evaluate(() => globalThis.talker.get('before').then((found) => found?.value, String)))
    console.log(await b.evaluate(() => globalThis.talker.get('never').then((found) => found?.value, String)))
    console.log('second', Date.now() - t)
    await using second = await serve()
    await expect.poll(() => second.get('before', { latest: true }).then((found) => found?.value), PATIENCE).toBe('kept')
    await expect.poll(() => second.get('during', { latest: true }).then((found) => found?.value), PATIENCE).toBe('value')
    console.log(JSON.stringify(await second.stats()))
    console.log(JSON.stringify(await a.evaluate(() => globalThis.talker.stats())))
  })
})
