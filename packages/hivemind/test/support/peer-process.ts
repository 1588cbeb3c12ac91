import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('./peer-main.ts', import.meta.url))

/** A JavaScript peer that can be killed. */
export interface PeerProcess {
  readonly maddrs: readonly string[]
  kill(): Promise<void>
}

/** Starts a JavaScript peer in a process of its own. */
export async function startPeerProcess(initialPeers: readonly string[]): Promise<PeerProcess> {
  const child = spawn(process.execPath, ['--conditions=@waggle/source', MAIN, ...initialPeers], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const exited = once(child, 'exit')
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  return {
    maddrs: JSON.parse(line).maddrs,
    kill: async () => {
      child.kill('SIGKILL')
      await exited
    }
  }
}
