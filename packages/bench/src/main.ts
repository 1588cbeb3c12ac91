// `pnpm bench [scenario ...] [--quick] [--system NAME ...] [--out FILE]`
import { fileURLToPath } from 'node:url'
import { run } from './command.ts'

const DEFAULT_OUT = fileURLToPath(new URL('../../../docs/benchmarks.json', import.meta.url))
const controller = new AbortController()

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(name, () => controller.abort(new Error(`ended by ${name}`)))
}

process.exitCode = await run(process.argv.slice(2), {
  defaultOut: DEFAULT_OUT,
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  signal: controller.signal
})
