// Makes the pictures of `waggle top` and `waggle party` in docs/operations, from what a real terminal shows: it
// needs tmux. Run it by hand when the screens change: `pnpm screenshots`.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { svgOf } from './svg.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const BIN = join(ROOT, 'packages/cli/bin/waggle.js')
const PICTURES = join(ROOT, 'docs/operations')
const SIZE = { columns: 80, rows: 24 }

const PATIENCE_MS = 30_000
const POLL_MS = 200

const folder = mkdtempSync(join(tmpdir(), 'waggle-'))
const env = { ...process.env, TMPDIR: folder, WAGGLE_LOCAL_PORT: '29337', TERM: 'xterm-256color' }
const running: ChildProcess[] = []

try {
  await party()
  await top()
} finally {
  await stopAll()
  tmux('kill-server')
  rmSync(folder, { recursive: true, force: true })
}

async function party(): Promise<void> {
  background('party', 'alice')
  await until(() => peers() >= 1)
  background('party', 'carol', '--answer', 'no')
  await picture('party', 'Three guests at the party', ['party', 'bob'], /carol +no +[1-5] s/)
  await stopAll()
}

async function top(): Promise<void> {
  const node = background('serve')
  await until(() => peers() >= 1)
  background('serve')
  background('serve')
  await until(() => peers() >= 3)

  for (let i = 1; i <= 12; i++) {
    const value = JSON.stringify({ host: `10.0.0.${i}`, load: i / 20 })
    waggle('store', `service/worker-${i}`, value, '--ttl', `${i * 40}`)
  }

  waggle('store', 'party', 'yes', '--subkey', 'alice', '--ttl', '90s')
  waggle('store', 'settings', '{"rounds": 3}', '--ttl', '7d')
  await picture('top', 'A node in waggle top', ['top', '--node', String(node.pid)], /CPU +\d/)
}

/** How many nodes of this network there are. */
function peers(): number {
  const { stdout } = waggle('peers', '--json')
  return stdout.startsWith('{') ? JSON.parse(stdout).peers.length : 0
}

async function until(isSo: () => boolean): Promise<void> {
  for (const start = performance.now(); !isSo(); await sleep(POLL_MS)) {
    if (performance.now() - start > PATIENCE_MS) {
      throw new Error(`not so after ${PATIENCE_MS} ms: ${isSo}`)
    }
  }
}

async function stopAll(): Promise<void> {
  for (const child of running.splice(0)) {
    const ended = once(child, 'exit')
    await (child.kill() && ended)
  }
}

function background(...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [BIN, ...args], {
    env,
    stdio: ['ignore', 'ignore', 'inherit']
  })
  running.push(child)
  return child
}

function waggle(...args: string[]): { stdout: string } {
  return spawnSync(process.execPath, [BIN, ...args], { env, encoding: 'utf8' })
}

/** Takes a picture as soon as the screen shows something. */
async function picture(
  name: string,
  title: string,
  args: readonly string[],
  shows: RegExp
): Promise<void> {
  const { columns, rows } = SIZE
  const command = [process.execPath, BIN, ...args].join(' ')
  tmux('new-session', '-d', '-s', name, '-x', String(columns), '-y', String(rows), command)
  await until(() => shows.test(tmux('capture-pane', '-p', '-t', name)))
  const lines = tmux('capture-pane', '-e', '-p', '-t', name).trimEnd().split('\n')
  tmux('send-keys', '-t', name, 'q')
  writeFileSync(join(PICTURES, `${name}.svg`), svgOf({ title, columns, lines }))
}

/** A server of our own: other terminals on this machine are not ours. */
function tmux(...args: string[]): string {
  return spawnSync('tmux', ['-S', join(folder, 'tmux'), ...args], { env, encoding: 'utf8' }).stdout
}
