import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { describe, expect, it, vi } from 'vitest'
import { temporaryDirectory } from '../../../dht/test/support/temporary-directory.ts'
import { BIN, RunningWaggle, waggle, waggleInShell } from '../support/waggle-process.ts'

const SERVE = [process.execPath, BIN, 'serve', '--json', '--listen-on', '127.0.0.1:0'].join(' ')

/** Runs a command of the shell in a terminal of its own. */
async function inTerminal(
  command: string,
  skip: (condition: boolean, note: string) => void
): Promise<ChildProcessWithoutNullStreams> {
  skip(process.platform !== 'linux', 'as script has other options elsewhere')
  const terminal = spawn('script', ['-qefc', command, '/dev/null'], {
    timeout: 45_000,
    killSignal: 'SIGKILL'
  })
  const missing = await Promise.race([once(terminal, 'spawn'), once(terminal, 'error')])
  skip(missing[0] instanceof Error, 'as there is no script')
  return terminal
}

describe('a hang-up (SIGHUP)', () => {
  it('does not end a node without a terminal, such as one under nohup', async () => {
    await using directory = await temporaryDirectory()
    const control = `${directory.path}/node.sock`
    const args = ['serve', '--json', '--listen-on', '127.0.0.1:0', '--control', control]
    const { exitCode } = await waggleInShell(
      `nohup "$@" > '${directory.path}/out' 2>&1 &
      until grep -q started '${directory.path}/out'; do sleep 0.1; done
      kill -HUP $!
      "$1" "$2" id --control '${control}' > /dev/null || exit 9
      kill -TERM $!
      wait $!`,
      args
    )
    expect(exitCode).toBe(0)
  })

  it('does not end any command without a terminal', async () => {
    await using node = new RunningWaggle(['serve', '--json', '--listen-on', '127.0.0.1:0'])
    const address = JSON.parse(await node.line(/"event":"started"/)).addresses[0]
    await using watching = new RunningWaggle(['watch', 'news', '--json', '-p', address])
    await waggle(['store', 'news', 'first', '-p', address])
    await watching.line(/"value":"first"/)
    watching.kill('SIGHUP')
    await waggle(['store', 'news', 'second', '--ttl', '2h', '-p', address])
    await watching.line(/"value":"second"/)
  })

  it('does not end a node that only reads from a terminal, as under nohup on macOS', async ({
    skip
  }) => {
    await using directory = await temporaryDirectory()
    const [control, output] = [`${directory.path}/node.sock`, `${directory.path}/out`]
    const command = `exec ${SERVE} --control '${control}' > '${output}' 2>&1`
    const terminal = await inTerminal(command, skip)
    const stats = ['stats', '--json', '--control', control]
    const { stdout } = await vi.waitUntil(
      async () => {
        const ended = await waggle(stats)
        return ended.exitCode === 0 && ended
      },
      { timeout: 20_000 }
    )
    const { pid } = JSON.parse(stdout)
    process.kill(pid, 'SIGHUP')

    try {
      expect(JSON.parse((await waggle(stats)).stdout)).toMatchObject({ pid })
    } finally {
      terminal.kill('SIGKILL')
      process.kill(pid, 'SIGKILL')
    }
  })

  it('ends a node cleanly when its terminal goes', async ({ skip }) => {
    const terminal = await inTerminal(SERVE, skip)
    let output = ''
    terminal.stdout.on('data', (text) => {
      output += text
    })
    await expect.poll(() => output, { timeout: 20_000 }).toContain('"started"')
    const { peerId } = JSON.parse(output.split('\r\n').find((one) => one.includes('started')) ?? '')
    terminal.kill('SIGKILL')

    await expect
      .poll(async () => (await waggle(['stats', '--node', peerId])).exitCode, { timeout: 20_000 })
      .toBe(1)
  })
})
