/**
 * Shows the page with a small network, and prints its address:
 *
 *     node examples/browser/serve.ts
 */
import { once } from 'node:events'
import process from 'node:process'
import { startDemo } from './demo.ts'

await using demo = await startDemo()
console.log(`open this in several tabs: ${demo.url}`)
console.log('end with Ctrl-C')
await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
