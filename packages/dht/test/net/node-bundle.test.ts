import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'

const run = promisify(execFile)
const pathOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** Files that a program with two nodes loads, those of `@waggle/record` included. */
const MAX_FILES = 10

describe('the build for Node', () => {
  let loaded: { files: string[]; instances: number }

  beforeAll(async () => {
    await run(process.execPath, [pathOf('../../../record/scripts/bundle.ts')])
    await run(process.execPath, [pathOf('../../scripts/bundle.ts')])
    const program = pathOf('../support/loaded-files.mjs')
    const { stdout } = await run(process.execPath, ['--conditions=@waggle/bundle', program])
    loaded = JSON.parse(stdout)
  }, 60_000)

  it('is a few files that work, and no dependency is loaded beside them', () => {
    expect(
      loaded.files.filter((file) => !/\/packages\/(?:dht|record)\/dist\/bundle\//.test(file))
    ).toEqual([])
    expect(loaded.files.length).toBeLessThanOrEqual(MAX_FILES)
  })

  it('loads no service of relays, no dialer of WebSockets and no disk unless they are used', () => {
    expect(
      loaded.files.filter((file) =>
        /\/(?:relay-services|websocket-dialer|files|identity)-/.test(file)
      )
    ).toEqual([])
  })

  it("takes Node's own modules from the process: an import would load what they refer to", async () => {
    const texts = await Promise.all(loaded.files.map((file) => readFile(new URL(file), 'utf8')))
    expect(texts.filter((text) => /^import\b.*["']node:/m.test(text))).toEqual([])
  })

  it('loads no WebAssembly, which a program that is not busy does not need', () => {
    expect(loaded.instances).toBe(0)
  })
})
