// A process with servers of the system that its argument names. Processes in other languages have the same functions.
import { serve } from '../processes/serve.ts'
import { liveMemory, usage } from '../processes/usage.ts'
import type { Place, Server } from './system.ts'
import { loadSystem } from './systems.ts'

const system = await loadSystem(process.argv)
const servers: Server[] = []

const handlers = {
  /** Starts one server after another; resolves with their addresses. */
  async start({ nodes, host, bootstrap }: Place & { nodes: number }): Promise<string[]> {
    for (let i = 0; i < nodes; i++) {
      const known = [...bootstrap, ...servers.slice(0, 1).map(({ address }) => address)]
      servers.push(await system.startServer({ host, bootstrap: known }))
    }

    return servers.map(({ address }) => address)
  },

  /** Resolves when all of them know the network. */
  async settle({ servers: count }: { servers: number }): Promise<void> {
    for (const server of servers) {
      await server.settle(count)
    }
  },

  usage,

  /** Only in Node. */
  liveMemory
}

export type ServerHandlers = typeof handlers

serve(handlers)
