import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { nodeCommand } from '../../src/processes/node-command.ts'
import { Remote } from '../../src/processes/remote.ts'
import { ECHO, type EchoHandlers } from '../support/echo.ts'

let ending: AbortController
let remote: Remote<EchoHandlers>

beforeEach(() => {
  ending = new AbortController()
  remote = new Remote<EchoHandlers>(ECHO, { signal: ending.signal })
})

afterEach(async () => {
  await remote.kill()
})

describe('Remote', () => {
  it('answers what the process does, many questions at once', async () => {
    const texts = ['one', 'two\nlines', '三']

    expect(await Promise.all(texts.map((text) => remote.call('echo', { text })))).toEqual(texts)
  })

  it('rejects with what a handler throws, and goes on', async () => {
    await expect(remote.call('fail', {})).rejects.toThrow('out of order')
    expect(await remote.call('echo', { text: 'still' })).toBe('still')
  })

  it('kills a process that takes too long', async () => {
    await remote.call('echo', { text: 'ready' })
    const { pid } = remote

    await expect(remote.call('never', {}, 50)).rejects.toThrow('never: no answer within 50 ms')
    await expect.poll(() => isRunning(pid)).toBe(false)
    await expect(remote.call('echo', { text: 'late' })).rejects.toThrow('no answer within 50 ms')
  })

  it('kills it when the signal is aborted', async () => {
    await remote.call('echo', { text: 'ready' })
    const { pid } = remote
    const pending = expect(remote.call('never', {})).rejects.toThrow('aborted')
    ending.abort()
    await pending

    await expect.poll(() => isRunning(pid)).toBe(false)
  })

  it('rejects what is asked of a process that ends, and of one that does not start', async () => {
    const pending = expect(remote.call('never', {})).rejects.toThrow('ended: SIGKILL')
    await remote.kill()
    await pending

    const missing = new Remote<EchoHandlers>(['/nonexistent/program'], { signal: ending.signal })
    await expect(missing.call('echo', { text: 'hello' })).rejects.toThrow('ENOENT')
    await missing.kill()
  })

  it('leaves no process behind when its own is killed, not even one that was stopped', async () => {
    const [file = '', ...args] = nodeCommand(new URL('../support/parent-main.ts', import.meta.url))
    const parent = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(parent.stdout, 'data')) as [Buffer]
    const pids = line.toString().trim().split(' ').map(Number)

    expect(pids.map(isRunning)).toEqual([true, true])
    parent.kill('SIGKILL')
    await expect.poll(() => pids.map(isRunning), { timeout: 10_000 }).toEqual([false, false])
  })
})

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
