// A process with servers of the system that is named as its argument.
import { liveMemory } from '../processes/live-memory.ts'
import { serve } from '../processes/serve.ts'
import { usage } from '../processes/usage.ts'
import type { ServerHandlers } from './handlers.ts'
import type { Server } from './system.ts'
import { loadSystem } from './systems.ts'

const system = await loadSystem(process.argv[2])
const servers: Server[] = []

serve<ServerHandlers>({
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
})
