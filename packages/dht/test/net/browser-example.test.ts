import { randomUUID } from 'node:crypto'
import process from 'node:process'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Demo, startDemo } from '../../../../examples/browser/demo.ts'
import { accessibilityFaults, CHROMIUM, inChromium, launchChromium } from '../support/chromium.ts'

/** The folder for screenshots of the documents; without it, none are taken. */
const { WAGGLE_SCREENSHOTS } = process.env

/** Widths in pixels, and colours. */
const LOOKS = [
  [1120, 'light'],
  [380, 'dark']
] as const

describe.skipIf(CHROMIUM === undefined)(inChromium('the presence page'), () => {
  let demo: Demo
  let browser: Browser
  let context: BrowserContext
  let problems: string[]

  /** A room for each test, because a context that ends says no goodbye. */
  let room: string

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
    room = randomUUID()
  })

  afterEach(async () => {
    await context?.close()
    expect(problems).toEqual([])
  })

  /** Opens a tab, and enters the room with the keyboard alone. */
  async function entered(name: string, mood: string): Promise<Page> {
    const page = await opened()
    await page.getByLabel('Name').focus()
    await page.keyboard.type(name)
    await page.keyboard.press('Tab')

    while (!(await page.getByRole('radio', { name: mood }).isChecked())) {
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
    await page.goto(`${demo.url}#${room}`)
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
    await alice.getByRole('heading', { name: '2 bees in the hive' }).waitFor()

    await bob.getByLabel('away').check()
    await bee(alice, 'bob', 'away').waitFor()
    await bob.getByLabel('Name').fill('<img src=x>')
    await bob.getByLabel('Name').press('Tab')
    await alice.getByRole('log').getByText('bob is now called <img src=x>').waitFor()
    expect(await alice.locator('img').count()).toBe(0)

    await bob.getByRole('button', { name: 'Leave' }).click()
    await alice.getByRole('log').getByText('<img src=x> has left').waitFor()
    await alice.getByRole('heading', { name: '1 bee in the hive' }).waitFor()
  })

  it('keeps its member across a reload', async () => {
    const alice = await entered('alice', 'here')
    const watching = await opened()
    const id = await bee(watching, 'alice', 'here').getAttribute('title')
    await alice.reload()
    await bee(alice, 'alice', 'here').waitFor()
    expect(await bee(alice, 'alice', 'here').getAttribute('title')).toBe(id)
    await bee(watching, 'alice', 'here').waitFor()
  })

  it('is accessible, in light and dark, wide and narrow', async () => {
    room = 'lobby'
    const page = await entered('alice', 'here')
    await entered('bob', 'busy')
    await entered('carol', 'away')
    await page.bringToFront()
    await page.getByRole('heading', { name: '6 bees in the hive' }).waitFor()

    for (const [width, colorScheme] of LOOKS) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await page.setViewportSize({ width, height: 740 })
      expect(await accessibilityFaults(page)).toEqual([])
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)

      if (WAGGLE_SCREENSHOTS !== undefined) {
        await page.screenshot({
          path: `${WAGGLE_SCREENSHOTS}/presence-${width}-${colorScheme}.png`
        })
      }
    }
  })
})
