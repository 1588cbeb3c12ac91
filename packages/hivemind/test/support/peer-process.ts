import { spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('./peer-main.ts', import.meta.url))

/** A JavaScript peer that can be killed. */
export interface PeerProcess {
  readonly maddrs: readonly string[]
  kill(): Promise<void>

  /** Returns the milliseconds of the longest turn of its event loop since the last call. */
  longestTurnMs(): Promise<number>
}

/** Starts a JavaScript peer in a process of its own. */
export async function startPeerProcess(initialPeers: readonly string[]): Promise<PeerProcess> {
  const child = spawn(process.execPath, ['--conditions=@waggle/source', MAIN, ...initialPeers], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc']
  })
  const exited = once(child, 'exit')
  const { stdout } = child
  const [line] = stdout === null ? [] : await once(createInterface({ input: stdout }), 'line')
  return {
    maddrs: JSON.parse(line).maddrs,
    kill: async () => {
      child.kill('SIGKILL')
      await exited
    },
    async longestTurnMs() {
      const answer = once(child, 'message')
      child.send('longest turn')
      const [tookMs] = await answer
      return tookMs
    }
  }
}
