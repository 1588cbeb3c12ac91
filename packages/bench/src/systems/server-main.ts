// A process with servers of the system that its argument names.
import { serve } from '../processes/serve.ts'
import { type LiveMemory, liveMemory, type Usage, usage } from '../processes/usage.ts'
import type { Place, Server } from './system.ts'
import { loadSystem } from './systems.ts'

/** Functions of a process with servers, in whatever language it is written. */
export type ServerHandlers = {
  /** Starts one server after another; resolves with their addresses. */
  start(params: { readonly nodes: number } & Place): Promise<readonly string[]>

  /** Resolves when all of them know the network. */
  settle(params: { readonly servers: number }): Promise<void>
  usage(): Usage

  /** Only in Node. */
  liveMemory(): Promise<LiveMemory>
}

const system = await loadSystem(process.argv[2])
const servers: Server[] = []

serve({
  async start({ nodes, host, bootstrap }) {
    for (let i = 0; i < nodes; i++) {
      const known = [...bootstrap, ...servers.slice(0, 1).map(({ address }) => address)]
      servers.push(await system.startServer({ host, bootstrap: known }))
    }

    return servers.map(({ address }) => address)
  },

  async settle({ servers: count }) {
    for (const server of servers) {
      await server.settle(count)
    }
  },

  usage,
  liveMemory
} satisfies ServerHandlers)
