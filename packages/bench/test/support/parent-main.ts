// Starts a child process, prints its id, and waits to be killed.
import { echoProcess } from './echo.ts'

const child = echoProcess(new AbortController())
await child.call('echo', { text: 'ready' })
process.stdout.write(`${child.pid}\n`)
setInterval(() => undefined, 1_000)
