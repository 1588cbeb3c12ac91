import process from 'node:process'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Demo, startDemo } from '../../../../examples/browser/demo.ts'
import { accessibilityFaults, CHROMIUM, inChromium, launchChromium } from '../support/chromium.ts'

/** The folder for screenshots of the documents; without it, none are taken. */
const { WAGGLE_SCREENSHOTS } = process.env

describe.skipIf(CHROMIUM === undefined)(inChromium('the presence page'), () => {
  let demo: Demo
  let browser: Browser
  let context: BrowserContext
  let problems: string[]

  beforeAll(async () => {
    demo = await startDemo({
      resolve: { conditions: ['@waggle/source', 'module', 'browser'] }
    })
    browser = await launchChromium()
  })

  afterAll(async () => {
    await browser?.close()
    await demo?.[Symbol.asyncDispose]()
  })

  beforeEach(async () => {
    context = await browser.newContext({ viewport: { width: 1120, height: 740 } })
    problems = []
  })

  afterEach(async () => {
    await context?.close()
    expect(problems).toEqual([])
  })

  /** Opens a tab, in which a member enters by keys alone. */
  async function entered(name: string, mood: string): Promise<Page> {
    const page = await opened()
    await page.getByLabel('Name').focus()
    await page.keyboard.type(name)
    await page.keyboard.press('Tab')

    while (!(await page.getByLabel(mood).isChecked())) {
      await page.keyboard.press('ArrowRight')
    }

    await page.keyboard.press('Enter')
    await bee(page, name, mood).waitFor()
    return page
  }

  async function opened(): Promise<Page> {
    const page = await context.newPage()
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
    page.on('pageerror', (error) => problems.push(String(error)))
    await page.goto(demo.url)
    await page.getByRole('status').filter({ hasText: 'Live, 3 servers' }).waitFor()
    return page
  }

  function bee(page: Page, name: string, mood: string) {
    return page
      .getByRole('listitem')
      .filter({ hasText: new RegExp(`^${name}${mood}( \\(you\\))?$`) })
  }

  it('shows who comes, what they do, and who leaves', async () => {
    const alice = await entered('alice', 'here')
    const bob = await entered('bob', 'busy')
    await bee(alice, 'bob', 'busy').waitFor()
    await alice.getByRole('heading', { name: '5 bees in the hive' }).waitFor()

    await bob.getByLabel('away').check()
    await bee(alice, 'bob', 'away').waitFor()
    await bob.getByLabel('Name').fill('Robert')
    await bob.getByLabel('Name').press('Tab')
    await alice.getByRole('log').getByText('bob is now called Robert').waitFor()

    await bob.getByRole('button', { name: 'Leave' }).click()
    await alice.getByRole('log').getByText('Robert has left').waitFor()
    await alice.getByRole('heading', { name: '4 bees in the hive' }).waitFor()
  })

  it('keeps its member across a reload, and says goodbye when it is closed', async () => {
    const alice = await entered('alice', 'here')
    const watching = await opened()
    const item = await bee(watching, 'alice', 'here').elementHandle()
    const id = await item?.getAttribute('title')
    await alice.reload()
    await bee(alice, 'alice', 'here \\(you\\)').waitFor()
    const again = bee(watching, 'alice', 'here')
    await again.waitFor()
    expect(await again.getAttribute('title')).toBe(id)
    await alice.close({ runBeforeUnload: true })
    await watching.getByRole('log').getByText('alice has left').nth(1).waitFor()
  })

  it('shows hostile names as text', async () => {
    const name = '<img src=x onerror=1>'.slice(0, 20)
    const page = await entered(name, 'here')
    expect(await page.locator('img').count()).toBe(0)
  })

  it.each([
    [1120, 'light'],
    [1120, 'dark'],
    [380, 'light'],
    [380, 'dark']
  ] as const)('is accessible and fits into %i pixels, %s', async (width, colorScheme) => {
    const page = await entered('alice', 'here')
    await entered('bob', 'busy')
    await entered('carol', 'away')
    await page.bringToFront()
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await page.setViewportSize({ width, height: 740 })
    await page.getByRole('heading', { name: '6 bees in the hive' }).waitFor()
    expect(await accessibilityFaults(page)).toEqual([])
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)

    if (WAGGLE_SCREENSHOTS !== undefined) {
      await page.screenshot({ path: `${WAGGLE_SCREENSHOTS}/presence-${width}-${colorScheme}.png` })
    }
  })
})
