import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { DHT } from '@waggle/dht'
import { testnet } from '@waggle/dht/testnet'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type {} from '../browser/page.ts'
import { CHROMIUM, ChromiumPages, inChromium } from '../support/chromium.ts'
import { PeerProcess } from '../support/peer-process.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const { WAGGLE_LONG } = process.env

/**
 * Milliseconds for which the page is stopped. Less than 4 seconds would not count as sleep (N8l).
 */
const SLEEP_MS = WAGGLE_LONG ? 60_000 : 6000

/** Milliseconds after waking within which all answers are right. Only long runs measure them. */
const WAKING_MS = WAGGLE_LONG ? 3000 : 30_000

const PATIENCE = { timeout: 30_000 }

describe.skipIf(CHROMIUM === undefined)(inChromium('a page whose network fails'), () => {
  let chromium: ChromiumPages

  beforeAll(async () => {
    chromium = await ChromiumPages.of('page.ts')
  })

  afterAll(() => chromium?.[Symbol.asyncDispose]())

  /** Opens a page whose peer watches the key `watched`. */
  async function joined(initialPeers: readonly string[], numReplicas = 5): Promise<Page> {
    const page = await chromium.open('waggle')
    await page.evaluate(
      async (options) => {
        globalThis.peer = await globalThis.waggle.DHT.create(options)
        globalThis.values = []
        const watch = globalThis.peer.watch('watched')
        watch.subscribe(() => globalThis.values.push(watch.current?.value))
      },
      { initialPeers, numReplicas }
    )
    return page
  }

  /** Waits until the page's watch has shown a value. */
  function shown(page: Page, value: string): Promise<unknown> {
    return page.waitForFunction((value) => globalThis.values.at(-1) === value, value, PATIENCE)
  }

  it('goes on while a server is killed and started again', async () => {
    await using directory = await temporaryDirectory()
    await using keeper = await DHT.create()
    const [address = ''] = keeper.multiaddrs.map(String)
    const options = { initialPeers: address, identityPath: `${directory.path}/identity` }
    await using killed = await PeerProcess.start(options)
    const [restartAddress = ''] = killed.multiaddrs
    const port = Number(/\/tcp\/(\d+)/.exec(restartAddress)?.[1])
    const page = await joined([address, restartAddress])
    await killed.kill()

    await keeper.store('watched', 'while it is down', { ttl: 600 })
    await shown(page, 'while it is down')
    const found = await page.evaluate(async () => {
      const { peer } = globalThis
      const keys = Array.from({ length: 20 }, (_, i) => `key ${i}`)
      await Promise.all(keys.map((key, i) => peer.store(key, i, { ttl: 600 })))
      const found = await Promise.all(keys.map((key) => peer.get(key, { latest: true })))
      return found.map((one) => one?.value)
    })
    expect(found).toEqual(Array.from({ length: 20 }, (_, i) => i))

    await using restarted = await PeerProcess.start({ ...options, listenOn: `127.0.0.1:${port}` })
    const id = /[^/]+$/.exec(restartAddress)?.[0]
    await page.waitForFunction(
      (id) => globalThis.peer.peers.some((peer) => String(peer) === id),
      id,
      PATIENCE
    )
    await vi.waitUntil(async () => (await restarted.stats()).records > 20, PATIENCE)
    await keeper.stop()
    await restarted.store('watched', 'by the restarted one', { ttl: 900 })
    await shown(page, 'by the restarted one')
    const kept = await page.evaluate(() => globalThis.peer.get('key 19', { latest: true }))
    expect(kept?.value).toBe(19)
    await page.context().close()
  })

  it('reads, stores and watches all that 8 servers hold, of which it reaches one (N14)', async () => {
    await using net = await testnet(8, { numReplicas: 3 })
    const [gateway, ...others] = net.nodes
    const keys = Array.from({ length: 100 }, (_, i) => `key ${i}`)
    await others[0]?.storeMany(keys.map((key) => ({ key, value: `value of ${key}`, ttl: 600 })))
    const page = await joined([String(gateway?.multiaddrs[0])], 3)
    const found = await page.evaluate(async (keys) => {
      const found = await Promise.all(keys.map((key) => globalThis.peer.get(key, { latest: true })))
      return found.map((one) => one?.value)
    }, keys)
    expect(found).toEqual(keys.map((key) => `value of ${key}`))

    for (const [i, node] of others.entries()) {
      await node.store('watched', `change ${i}`, { ttl: 600 + i })
      await shown(page, `change ${i}`)
    }

    expect(await page.evaluate(() => globalThis.peer.store('mine', 1, { ttl: 60 }))).toBe(true)
    expect((await others[6]?.get('mine', { latest: true }))?.value).toBe(1)
    expect(await page.evaluate(() => globalThis.peer.peers.map(String))).toEqual([
      String(gateway?.peerId)
    ])
    await page.context().close()
  })

  it('has right answers soon after a sleep (N8l)', async () => {
    await using net = await testnet(3)
    const [node] = net.nodes
    await node?.store('watched', 'before', { ttl: 600 })
    const page = await joined(net.nodes.map(({ multiaddrs }) => String(multiaddrs[0])))
    await shown(page, 'before')
    const renderers = await renderersOf(chromium.browser)
    signalAll(renderers, 'SIGSTOP')
    const waking = sleep(SLEEP_MS)

    try {
      await node?.store('watched', 'during the sleep', { ttl: 900 })
      await waking
    } finally {
      signalAll(renderers, 'SIGCONT')
    }

    const start = performance.now()
    await vi.waitUntil(
      async () => {
        const found = await page.evaluate(() => globalThis.peer.get('watched')).catch(() => {})
        return found?.value === 'during the sleep'
      },
      { timeout: WAKING_MS, interval: 20 }
    )
    await shown(page, 'during the sleep')
    expect(performance.now() - start).toBeLessThan(WAKING_MS)
    await page.evaluate(() => globalThis.peer.store('watched', 'after', { ttl: 1200 }))
    expect((await node?.get('watched', { latest: true }))?.value).toBe('after')
    await page.context().close()
  }, 120_000)
})

/** Lists the processes that run a browser's pages. */
async function renderersOf(browser: Browser): Promise<number[]> {
  const session = await browser.newBrowserCDPSession()
  const { processInfo } = await session.send('SystemInfo.getProcessInfo')
  return processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id)
}

function signalAll(processes: readonly number[], signal: NodeJS.Signals): void {
  for (const id of processes) {
    process.kill(id, signal)
  }
}
