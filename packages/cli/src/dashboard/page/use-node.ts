import { useEffect, useState } from 'preact/hooks'
import type { DashboardState } from '../../control/dashboard-source.ts'
import type { Sample } from '../../control/history.ts'
import { type Client, RefusedError } from './client.ts'

/** Samples that charts show. */
const MAX_SAMPLES = 720

/** Milliseconds before the page connects again. */
const RETRY_MS = 2000

/** The page's view of a node. */
export interface NodeView {
  readonly link: 'connecting' | 'live' | 'lost' | 'refused'
  readonly state?: DashboardState
  readonly samples: readonly Sample[]
  readonly canWrite: boolean
}

/** Follows the node as long as the page is open. */
export function useNode(client: Client): NodeView {
  const [view, setView] = useState<NodeView>({ link: 'connecting', samples: [], canWrite: false })

  useEffect(() => {
    const ended = new AbortController()
    void follow(client, ended.signal, (change) => setView((before) => change(before)))
    return () => ended.abort()
  }, [client])

  return view
}

type Update = (change: (before: NodeView) => NodeView) => void

async function follow(client: Client, signal: AbortSignal, update: Update): Promise<void> {
  while (!signal.aborted) {
    try {
      await followOnce(client, signal, update)
    } catch (error) {
      if (error instanceof RefusedError && error.status === 401) {
        update((before) => ({ ...before, link: 'refused' }))
        return
      }
    }

    update((before) => ({ ...before, link: 'lost' }))
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
  }
}

async function followOnce(client: Client, signal: AbortSignal, update: Update): Promise<void> {
  const { canWrite } = await client.json<{ canWrite: boolean }>('/settings')
  const samples = await client.json<readonly Sample[]>('/history')
  update((before) => ({ ...before, samples, canWrite }))

  for await (const state of client.events<DashboardState | null>('/live', signal)) {
    update((before) =>
      state === null
        ? { ...before, link: 'lost' }
        : { ...before, state, link: 'live', samples: withSample(before.samples, state.sample) }
    )
  }
}

function withSample(samples: readonly Sample[], sample: Sample): readonly Sample[] {
  const last = samples.at(-1)
  return last !== undefined && last.time >= sample.time
    ? samples
    : [...samples, sample].slice(-MAX_SAMPLES)
}
