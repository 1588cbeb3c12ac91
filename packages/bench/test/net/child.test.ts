import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Child, nodeCommand } from '../../src/processes/child.ts'
import { echoProcess } from '../support/echo.ts'
import type { EchoHandlers } from '../support/echo-main.ts'

let ending: AbortController
let child: Child<EchoHandlers>

beforeEach(() => {
  ending = new AbortController()
  child = echoProcess({ signal: ending.signal })
})

afterEach(async () => {
  await child.kill()
})

describe('Child', () => {
  it('resolves with the results of the process, of many calls at once', async () => {
    const texts = ['one', 'two\nlines', '三']

    expect(await Promise.all(texts.map((text) => child.call('echo', { text })))).toEqual(texts)
    expect(await child.call('nothing')).toBeUndefined()
  })

  it('rejects with the error of a handler, and goes on', async () => {
    await expect(child.call('fail')).rejects.toThrow('out of order')
    expect(await child.call('echo', { text: 'still' })).toBe('still')
  })

  it('kills a process that takes too long', async () => {
    await using slow = echoProcess({ signal: ending.signal, timeoutMs: 2_000 })
    await slow.call('echo', { text: 'ready' })
    const { pid } = slow

    await expect(slow.call('never')).rejects.toThrow('never: no reply within 2000 ms')
    await expect.poll(() => isRunning(pid)).toBe(false)
    await expect(slow.call('echo', { text: 'late' })).rejects.toThrow('no reply within 2000 ms')
  })

  it('kills the process when the signal is aborted', async () => {
    await child.call('echo', { text: 'ready' })
    const { pid } = child
    const pending = expect(child.call('never')).rejects.toThrow('aborted')
    ending.abort()
    await pending

    await expect.poll(() => isRunning(pid)).toBe(false)
  })

  it('rejects calls of a process that ends, or does not start', async () => {
    await child.call('echo', { text: 'ready' })
    const pending = expect(child.call('never')).rejects.toThrow('ended: SIGKILL')
    process.kill(child.pid, 'SIGKILL')
    await pending
    expect(child.isRunning).toBe(false)

    const missing = new Child<EchoHandlers>(['/nonexistent/program'], { signal: ending.signal })
    await expect(missing.call('echo', { text: 'hello' })).rejects.toThrow('ENOENT')
  })

  it('leaves no process behind when its own is killed', async () => {
    const [file = '', ...args] = nodeCommand(new URL('../support/parent-main.ts', import.meta.url))
    const parent = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(parent.stdout, 'data')) as [Buffer]
    const pid = Number(line.toString())

    expect(isRunning(pid)).toBe(true)
    parent.kill('SIGKILL')
    await expect.poll(() => isRunning(pid), { timeout: 10_000 }).toBe(false)
  })
})

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
