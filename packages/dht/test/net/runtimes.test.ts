import { spawn, spawnSync } from 'node:child_process'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { DHT } from '@waggle/dht'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const MAIN = fileURLToPath(new URL('../support/runtime-main.ts', import.meta.url))
const SOURCE = '--conditions=@waggle/source'

/** Arguments of the installed runtimes, before those of the program. */
const RUNTIMES: Readonly<Record<string, readonly string[]>> = {
  bun: [SOURCE, MAIN],
  deno: ['run', '--allow-all', SOURCE, MAIN]
}

/** Milliseconds that a program may take. */
const MAX_MS = 30_000

/** A program that uses a node, and its output. */
interface Program {
  readonly stdout: Readable
  readonly stderr: Readable
}

describe('a node in another runtime', () => {
  let server: DHT

  beforeAll(async () => {
    server = await DHT.create()
    await server.store('from a server', 'hello', { ttl: 600 })
  })

  afterAll(() => server?.stop())

  /** Runs the program, writes the value that it watches when it asks, and checks its output. */
  async function check(start: (args: string[]) => Program): Promise<void> {
    await using directory = await temporaryDirectory()
    await using asked = server.watch('question')
    const { stdout, stderr } = start([String(server.multiaddrs[0]), directory.path])
    const output = Promise.all([text(stdout), text(stderr)])

    for await (const { current } of asked) {
      if (current?.value === directory.path) {
        await server.store(directory.path, 'an answer', { ttl: 600 })
        break
      }
    }

    const [report, errors] = await output
    expect(errors).toBe('')
    expect(JSON.parse(report)).toEqual({
      stored: true,
      owned: true,
      all: true,
      found: 'hello',
      answer: 'an answer',
      kept: 199
    })
  }

  it('works in a worker thread', () =>
    check((argv) => new Worker(MAIN, { argv, execArgv: [SOURCE], stdout: true, stderr: true })))

  for (const [name, args] of Object.entries(RUNTIMES)) {
    const { error } = spawnSync(name, ['--version'])
    const title =
      error === undefined
        ? `works in ${name}`
        : `works in ${name} (SKIPPED: ${name} is not installed)`

    it.skipIf(error !== undefined)(title, () =>
      check((argv) =>
        spawn(name, [...args, ...argv], { stdio: ['ignore', 'pipe', 'pipe'], timeout: MAX_MS })
      )
    )
  }
})
