// A fresh process with a node: of a compared checkout if its argument is the entry file of `@waggle/dht`.
import { flushCompileCache } from 'node:module'
import { serve } from '../processes/serve.ts'
import { liveMemory } from '../processes/usage.ts'
import type { Place } from '../systems/system.ts'
import { waggle } from '../systems/waggle.ts'
import { isValueFor, keyFor } from '../workload/records.ts'

const handlers = {
  /** Measures loading the package, joining, and the first get, of the key of a number; then the idle node's memory. */
  async start({ key, ...place }: Place & { key: number }) {
    const start = performance.now()
    const node = await waggle(process.argv[2]).startServer(place)
    const isRight = isValueFor(key, await node.get(keyFor(key)))
    const coldMs = performance.now() - start
    // The process is killed, which would leave nothing for the next one.
    flushCompileCache()
    return { isRight, coldMs, ...(await liveMemory()) }
  }
}

export type ColdHandlers = typeof handlers

serve(handlers)
