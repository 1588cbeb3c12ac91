import { spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { describe, expect, it } from 'vitest'
import { temporaryDirectory } from '../../../dht/test/support/temporary-directory.ts'
import { BIN, RunningWaggle, waggle, waggleInShell } from '../support/waggle-process.ts'

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

  it('ends a node cleanly when its terminal goes', async ({ skip }) => {
    skip(process.platform !== 'linux', 'as script has other options elsewhere')
    const command = [process.execPath, BIN, 'serve', '--json', '--listen-on', '127.0.0.1:0']
    const terminal = spawn('script', ['-qefc', command.join(' '), '/dev/null'], {
      timeout: 45_000,
      killSignal: 'SIGKILL'
    })
    const missing = await Promise.race([once(terminal, 'spawn'), once(terminal, 'error')])
    skip(missing[0] instanceof Error, 'as there is no script')
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
