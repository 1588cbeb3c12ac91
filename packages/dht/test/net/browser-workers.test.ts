import { readFileSync } from 'node:fs'
import { DHT } from '@waggle/dht'
import type { Browser, BrowserContext } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browserBundle, browserFile } from '../support/browser-bundle.ts'
import { CHROMIUM, inChromium, launchChromium, type Site, serveSite } from '../support/chromium.ts'

const PATIENCE = { timeout: 20_000 }

const DOCUMENT = new URL('../../../../docs/browsers.md', import.meta.url)

/** Reads a script of docs/browsers.md, and replaces its servers by an address. */
function documented(name: string, address: string): string {
  const document = readFileSync(DOCUMENT, 'utf8')
  const [, code = ''] = new RegExp(`\`\`\`js\\n// ${name}\\n([^]*?)\`\`\``).exec(document) ?? []
  expect(code).not.toBe('')
  return code.replace('wss://waggle.example', address)
}

describe.skipIf(CHROMIUM === undefined)(inChromium('one peer for all tabs'), () => {
  let server: DHT
  let site: Site
  let browser: Browser
  let context: BrowserContext

  beforeAll(async () => {
    server = await DHT.create()
    const [address] = server.multiaddrs
    const worker = await browserBundle('peer.js', {
      [browserFile('peer.js')]: documented('peer.js', String(address))
    })
    site = await serveSite(
      new Map([...worker.scripts, ['/page.js', documented('page.js', '')]]),
      '/page.js'
    )
    browser = await launchChromium()
    context = await browser.newContext()
  })

  afterAll(async () => {
    await browser?.close()
    await site?.[Symbol.asyncDispose]()
    await server?.stop()
  })

  /** Opens a tab, and collects what it writes to the console. */
  async function tab(): Promise<{ lines: string[]; close(): Promise<void> }> {
    const page = await context.newPage()
    const lines: string[] = []
    page.on('console', (message) => lines.push(message.text()))
    page.on('pageerror', (error) => lines.push(String(error)))
    await page.goto(site.url)
    return { lines, close: () => page.close() }
  }

  it('is what the document says: calls, watches, one connection, and a tab less', async () => {
    const first = await tab()
    await expect
      .poll(() => first.lines, PATIENCE)
      .toContainEqual(expect.stringMatching(/^\{value: Map\(1\)/))
    const second = await tab()
    await expect.poll(() => second.lines.length, PATIENCE).toBeGreaterThan(0)
    expect(server.libp2p.getConnections()).toHaveLength(1)

    await first.close()
    const before = second.lines.length
    await server.store('party', 'no', { subkey: 'server', ttl: 600 })
    await expect
      .poll(() => second.lines.slice(before), PATIENCE)
      .toContainEqual(expect.stringMatching(/^now \{value: Map\(2\)/))
    expect((await server.get('party', { subkey: 'tab' }))?.value).toBe('yes')
  })
})
