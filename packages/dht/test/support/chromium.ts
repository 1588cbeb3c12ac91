import { existsSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Browser, chromium, type Page } from 'playwright-core'
import { browserBundle } from './browser-bundle.ts'

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** Chromium's path; undefined where it is not installed. */
export const CHROMIUM_PATH: string | undefined = CHROMIUM.find((path) => existsSync(path))

/** Chromium, and a web server on this machine for pages with one bundle. */
export class ChromiumPages implements AsyncDisposable {
  readonly #browser: Browser
  readonly #web: Server
  readonly #url: string

  private constructor(browser: Browser, web: Server, url: string) {
    this.#browser = browser
    this.#web = web
    this.#url = url
  }

  /** Bundles a file of test/browser, serves it, and starts Chromium. */
  static async of(file: string): Promise<ChromiumPages> {
    const { chunks } = await browserBundle(file)
    const files = new Map(chunks.map(({ fileName, code }) => [`/${fileName}`, code]))
    const html = `<!doctype html><script type="module" src="/${chunks[0]?.fileName}"></script>`
    const web = createServer(({ url = '' }, response) => {
      const code = files.get(url)
      response.setHeader('Content-Type', code === undefined ? 'text/html' : 'text/javascript')
      response.end(code ?? html)
    })
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
    const browser = await chromium.launch({
      executablePath: CHROMIUM_PATH ?? '',
      args: ['--no-sandbox']
    })
    const { port } = web.address() as AddressInfo
    return new ChromiumPages(browser, web, `http://127.0.0.1:${port}/`)
  }

  /** Opens a page, with storage of its own, and waits for a global of its bundle. */
  async open(global: string): Promise<Page> {
    const context = await this.#browser.newContext()
    const page = await context.newPage()
    await page.goto(this.#url)
    await page.waitForFunction((name) => name in globalThis, global)
    return page
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close()
    this.#web.closeAllConnections()
    this.#web.close()
  }
}
