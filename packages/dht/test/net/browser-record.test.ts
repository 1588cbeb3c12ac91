import { globSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { TestReport } from '../browser/run-tests.ts'
import { browserBundle, browserFile } from '../support/browser-bundle.ts'
import { CHROMIUM, inChromium, launchChromium, serveSite } from '../support/chromium.ts'

const RECORD_TESTS = fileURLToPath(new URL('../../../record/test/', import.meta.url))
const FIXTURES = ['records.json', 'signatures.json']

/** Tests of @waggle/record that need Node. */
const OF_NODE = ['cborg.test.ts', 'ed25519.test.ts', 'memory.test.ts']

describe.skipIf(CHROMIUM === undefined)(inChromium('@waggle/record'), () => {
  it('passes its unit tests', async () => {
    const files = globSync(`${RECORD_TESTS}unit/*.test.ts`).sort()
    const needsNode = files.filter((file) => /from 'node:/.test(readFileSync(file, 'utf8')))
    expect(needsNode.map((file) => basename(file))).toEqual(OF_NODE)

    const report = await inPage(files.filter((file) => !needsNode.includes(file)))
    expect(report.failures).toEqual([])
    expect(report.passed).toBeGreaterThan(500)
    expect(report.skipped.length).toBeLessThan(5)
  })
})

/** Bundles test files, and runs them in a page. */
async function inPage(files: readonly string[]): Promise<TestReport> {
  const { scripts, entry } = await browserBundle('record-tests.ts', {
    [browserFile('record-tests.ts')]: entryOf(files),
    '../read-fixtures.ts': fixtureReader()
  })
  await using site = await serveSite(scripts, entry)
  const browser = await launchChromium()

  try {
    const page = await browser.newPage()
    await page.goto(site.url)
    await page.waitForFunction(() => 'testReport' in globalThis)
    return await page.evaluate('testReport')
  } finally {
    await browser.close()
  }
}

function entryOf(files: readonly string[]): string {
  const loaders = files.map(
    (file) => `${JSON.stringify(basename(file))}: () => import(${JSON.stringify(file)})`
  )
  return `import { runTests } from ${JSON.stringify(browserFile('run-tests.ts'))}
    globalThis.testReport = runTests({ ${loaders.join(', ')} })`
}

/** Makes a module that contains the fixtures, in place of the one that reads them from files. */
function fixtureReader(): string {
  const texts = FIXTURES.map((name) => [
    name,
    readFileSync(`${RECORD_TESTS}fixtures/${name}`, 'utf8')
  ])
  return `const texts = ${JSON.stringify(Object.fromEntries(texts))}
    export const readFixtures = (name) => JSON.parse(texts[name])`
}
