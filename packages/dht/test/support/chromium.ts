import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import type { AxeResults } from 'axe-core'
import { type Browser, chromium, type Page } from 'playwright-core'
import { browserBundle } from './browser-bundle.ts'

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** Path of the installed browser; undefined if there is none. */
export const CHROMIUM: string | undefined = PATHS.find(existsSync)

/**
 * Makes the title of tests that run in Chromium. Without Chromium, it says that they are skipped.
 */
export function inChromium(subject: string): string {
  return CHROMIUM === undefined
    ? `${subject} in a browser (SKIPPED: Chromium is not installed)`
    : `${subject} in Chromium`
}

export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM ?? '', args: ['--no-sandbox'] })
}

/** A site that serves scripts on a free port of this machine. */
export interface Site extends AsyncDisposable {
  readonly url: string
}

/** Serves scripts by their paths. Every other path is a page that runs one of them. */
export async function serveSite(
  scripts: ReadonlyMap<string, string>,
  entry: string
): Promise<Site> {
  const html = `<!doctype html><script type="module" src="${entry}"></script>`
  const web = createServer(({ url: path = '' }, response) => {
    const code = scripts.get(path)
    response.setHeader('Content-Type', code === undefined ? 'text/html' : 'text/javascript')
    response.end(code ?? html)
  })
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))

  return {
    url: `http://127.0.0.1:${(web.address() as AddressInfo).port}/`,
    [Symbol.asyncDispose]: async () => {
      web.closeAllConnections()
      web.close()
    }
  }
}

/** Chromium, and a site for pages with one bundle. */
export class ChromiumPages implements AsyncDisposable {
  readonly #browser: Browser
  readonly #site: Site

  private constructor(browser: Browser, site: Site) {
    this.#browser = browser
    this.#site = site
  }

  /** Bundles a file of test/browser, serves it, and starts Chromium. */
  static async of(file: string): Promise<ChromiumPages> {
    const { scripts, entry } = await browserBundle(file)
    return new ChromiumPages(await launchChromium(), await serveSite(scripts, entry))
  }

  get browser(): Browser {
    return this.#browser
  }

  /** Opens a page, with storage of its own, and waits for a global of its bundle. */
  async open(global: string): Promise<Page> {
    const context = await this.#browser.newContext()
    const page = await context.newPage()
    await page.goto(this.#site.url)
    await page.waitForFunction((name) => name in globalThis, global)
    return page
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close()
    await this.#site[Symbol.asyncDispose]()
  }
}

/** Lists the faults that axe finds in a page. */
export async function accessibilityFaults(page: Page): Promise<unknown[]> {
  const source = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
  await page.evaluate(await readFile(source, 'utf8'))
  const { violations }: AxeResults = await page.evaluate('axe.run()')
  return violations.map(({ id, impact, nodes }) => [id, impact, nodes[0]?.html])
}
