import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  accessibilityFaults,
  CHROMIUM,
  inChromium,
  launchChromium
} from '../../../dht/test/support/chromium.ts'
import { type Served, served } from '../support/served.ts'
import { waggle } from '../support/waggle-process.ts'

const PANELS = [
  ...['Health', 'Join', 'Activity', 'Ring of keys', 'Next expirations', 'Store, get and watch'],
  ...['Served to peers', 'Own calls', 'Peers', 'Events']
]

const HOSTILE = ['<img src=x onerror=alert(1)>', '</script><script>alert(2)</script>']

/** Records of the test of many, and elements that a page with them may have. */
const MANY = 10_000
const MAX_ELEMENTS = 3000

describe.skipIf(CHROMIUM === undefined)(inChromium('the dashboard'), () => {
  let browser: Browser
  let context: BrowserContext
  let page: Page
  let node: Served
  let peer: Served
  let address: string
  let problems: string[]

  beforeAll(async () => {
    browser = await launchChromium()
    node = await served(['--dashboard', '0', '--dashboard-write'])
    peer = await served(['-p', node.address])
    const { dashboard } = node.events().find(({ event }) => event === 'started') ?? {}
    address = `${dashboard?.url}/#${dashboard?.newToken}`

    for (const key of HOSTILE) {
      await waggle(['store', key, `${key} as a value`, '-p', node.address])
    }
  })

  afterAll(async () => {
    await browser?.close()
    await peer?.[Symbol.asyncDispose]()
    await node?.[Symbol.asyncDispose]()
  })

  beforeEach(async () => {
    context = await browser.newContext()
    problems = []
    page = await open(context)
  })

  afterEach(async () => {
    await context?.close()
    expect(problems).toEqual([])
  })

  /** Opens the dashboard, and takes note of all that a page without faults never does. */
  async function open(context: BrowserContext): Promise<Page> {
    const page = await context.newPage()
    page.on('console', (message) => {
      message.type() === 'error' && problems.push(message.text())
    })
    page.on('pageerror', (error) => problems.push(String(error)))
    page.on('dialog', (dialog) => problems.push(`dialog: ${dialog.message()}`))
    page.on('request', (request) => {
      request.url().startsWith(new URL(address).origin) || problems.push(request.url())
    })
    await page.goto(address)
    await page.getByRole('status').filter({ hasText: 'Live' }).waitFor()
    return page
  }

  it('has all panels, and takes the token out of the address', async () => {
    for (const name of PANELS) {
      await page.getByRole('region', { name, exact: true }).waitFor()
    }

    expect(page.url()).toBe(`${new URL(address).origin}/`)
    await page.getByText('The node works: it knows 1 other server').waitFor()
    await page.getByText(`waggle serve --listen-on :0 -p ${node.address}`).waitFor()
    await page.getByRole('img', { name: /1 peer and 2 records on the ring of keys/ }).waitFor()
    await page.getByText('Keys as a gateway').waitFor()
    await page.getByRole('table').filter({ hasText: 'round trip' }).getByText('inbound').waitFor()
    await page.reload()
    await page.getByRole('status').filter({ hasText: 'Live' }).waitFor()
  })

  it('asks for the token when it has none, or a wrong one', async () => {
    const other = await browser.newContext()
    const asking = await other.newPage()
    await asking.goto(`${new URL(address).origin}/#%`)
    await asking.getByLabel('Token').fill('wrong')
    await asking.getByLabel('Token').press('Enter')
    await asking.getByText('The token is wrong').waitFor()
    await asking.getByLabel('Token').fill(new URL(address).hash.slice(1))
    await asking.getByLabel('Token').press('Enter')
    await asking.getByRole('status').filter({ hasText: 'Live' }).waitFor()
    await other.close()
  })

  it('shows hostile keys and values as text, and runs none of them', async () => {
    const records = page.getByRole('table').filter({ hasText: 'lives' })

    for (const key of HOSTILE) {
      const row = records.getByRole('row').filter({ hasText: key })
      await row.getByRole('button').click()
      const where = page.getByRole('region', { name: 'Where the key lives' })
      await where.getByText(/2 of 2 replicas hold all of it/).waitFor()
      expect(await where.locator('pre').textContent()).toContain(`${key} as a value`)
    }

    expect(await page.locator('img').count()).toBe(1)
    expect(await page.locator('script').count()).toBe(1)
  })

  it('runs no script that is put into it', async () => {
    const refusals = await page.evaluate(`
      const refusals = []
      const attempt = (work) => {
        try {
          work()
        } catch ({ message }) {
          refusals.push(message)
        }
      }
      attempt(() => document.createElement('script').textContent = 'globalThis.isRun = true')
      attempt(() => document.body.innerHTML = '<b onclick="globalThis.isRun = true">b</b>')
      'isRun' in globalThis ? 'run' : refusals.length
    `)
    expect(refusals).toBe(2)
    expect(problems.splice(0).length).toBeGreaterThan(0)
  })

  it('works by keys alone: searches, and finds where a key lives', async () => {
    const search = page.getByRole('searchbox', { name: 'Search by key' })
    await search.focus()
    await page.keyboard.type('ONERROR')
    await page.getByText('found 1 record', { exact: true }).waitFor()
    await page.keyboard.press('Enter')
    const where = page.getByRole('region', { name: 'Where the key lives' })
    await where.getByText('Nothing is stored there.').waitFor()
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.textContent')).toBe(
      'Where does this key live?'
    )
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Close')
    await page.keyboard.press('Enter')
    await where.waitFor({ state: 'detached' })
  })

  it('stores, gets and watches', async () => {
    const panel = page.getByRole('region', { name: 'Store, get and watch' })
    await panel.getByLabel('Key', { exact: true }).fill('colour')
    await panel.getByLabel('Value').fill('"blue"')
    await panel.getByRole('button', { name: 'Watch' }).click()
    await panel.getByText(/"gone": true/).waitFor()
    await panel.getByLabel('Value').press('Enter')
    await panel.getByText(/"stored": true/).waitFor()
    await expect.poll(() => panel.getByText(/"value": "blue"/).count()).toBe(1)
    await panel.getByRole('button', { name: 'Get' }).click()
    await expect.poll(() => panel.getByText(/"value": "blue"/).count()).toBe(2)
    await panel.getByRole('button', { name: 'Stop watching colour' }).click()
    await panel.getByLabel('Lifetime').fill('for ever')
    await panel.getByRole('button', { name: 'Store' }).click()
    await panel.getByText(/for ever is not a duration/).waitFor()
    // The browser itself writes refused requests to the console.
    expect(problems.splice(0)).toEqual([expect.stringContaining('400')])
  })

  it.each([
    { colorScheme: 'light', width: 1280 },
    { colorScheme: 'dark', width: 380 }
  ] as const)('is accessible to all: $colorScheme, $width px', async ({ colorScheme, width }) => {
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize({ width, height: 800 })
    await page
      .getByRole('button', { name: /^Where does ".*" live/ })
      .first()
      .click()
    await page.getByText(/replicas hold all of it/).waitFor()
    expect(await accessibilityFaults(page)).toEqual([])
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
    problems = problems.filter((problem) => !problem.includes('TrustedHTML'))
  })

  it('sends and shows a part of many records', async () => {
    const line = (i: number): string =>
      JSON.stringify({ key: `sensor/${i}`, value: i, expirationTime: Date.now() / 1000 + 900 + i })
    const input = Array.from({ length: MANY }, (_, i) => line(i)).join('\n')
    await waggle(['import', '-', '-p', node.address], { input })
    await page.getByText(/10,00\d records, 50 shown/).waitFor()
    await page.getByRole('img', { name: /10,00\d records on the ring of keys/ }).waitFor()
    await page.getByRole('searchbox').fill('sensor/77')
    await page.getByText('found 111 records, 50 shown').waitFor()
    expect(await page.locator('*').count()).toBeLessThan(MAX_ELEMENTS)
  })
})
