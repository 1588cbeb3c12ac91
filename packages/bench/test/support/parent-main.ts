// Starts two processes, stops one of them, tells their ids, and waits to be killed.
import { Remote } from '../../src/processes/remote.ts'
import { stopProcess } from '../../src/processes/stop-process.ts'
import { ECHO, type EchoHandlers } from './echo.ts'

const { signal } = new AbortController()
const children = [ECHO, ECHO].map((command) => new Remote<EchoHandlers>(command, { signal }))
const [first, second] = children

await Promise.all(children.map((child) => child.call('echo', { text: 'ready' })))
stopProcess(second?.pid ?? 0)
process.stdout.write(`${first?.pid} ${second?.pid}\n`)
setInterval(() => undefined, 1_000)
