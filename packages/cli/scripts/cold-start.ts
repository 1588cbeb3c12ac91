import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { bundle } from './bundle.ts'

/*
 * Measures the run time of short commands, beside that of an empty Node program, with a node running
 * on this machine. The aim is 200 ms. Run it with
 * node --conditions=@waggle/source packages/cli/scripts/cold-start.ts
 */

const BIN = fileURLToPath(new URL('../bin/waggle.js', import.meta.url))
const ROUNDS = 15

await bundle()
const server = spawn(process.execPath, [BIN, 'serve', '--json', '--listen-on', '127.0.0.1:0'], {
  stdio: ['ignore', 'pipe', 'inherit']
})

try {
  const [line] = await once(createInterface({ input: server.stdout }), 'line')
  const [address] = JSON.parse(line).addresses
  const commands: Readonly<Record<string, readonly string[]>> = {
    'node -e 0': ['-e', '0'],
    'waggle --help': [BIN, '--help'],
    'waggle store': [BIN, 'store', 'greeting', 'hello', '-p', address],
    'waggle get': [BIN, 'get', 'greeting', '-p', address],
    'waggle peers': [BIN, 'peers', '-p', address]
  }

  for (const [name, args] of Object.entries(commands)) {
    const timesMs = Array.from({ length: ROUNDS }, () => timeMs(args)).sort((a, b) => a - b)
    const [middle = 0] = timesMs.slice(ROUNDS / 2)
    const figure = (ms: number): string => `${ms.toFixed(0).padStart(5)} ms`
    console.log(`${name.padEnd(16)} ${figure(middle)}, at most ${figure(Math.max(...timesMs))}`)
  }
} finally {
  server.kill()
}

function timeMs(args: readonly string[]): number {
  const startMs = performance.now()
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })

  if (status !== 0) {
    throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`)
  }

  return performance.now() - startMs
}
