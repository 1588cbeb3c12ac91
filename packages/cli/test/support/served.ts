import { RunningWaggle, type RunOptions } from './waggle-process.ts'

/** A line of `serve --json`. */
export interface ServeEvent {
  readonly event: string
  readonly addresses?: readonly string[]
  readonly metricsUrl?: string | null
  readonly http?: { readonly url: string; readonly newToken: string | null } | null
  readonly dashboard?: { readonly url: string; readonly newToken: string | null } | null
}

/** A node that runs as `waggle serve`. */
export interface Served extends AsyncDisposable {
  readonly process: RunningWaggle

  /** Its address, for `--initial-peers`. */
  readonly address: string

  /** Lists its events so far. */
  events(): ServeEvent[]
}

/** Starts a node on a free port of this machine, and waits for its address. */
export async function served(
  args: readonly string[] = [],
  options: RunOptions = {}
): Promise<Served> {
  const process = new RunningWaggle(
    ['serve', '--json', '--listen-on', '127.0.0.1:0', '--refresh-period', '0.2', ...args],
    options
  )
  const events = (): ReturnType<Served['events']> => process.lines.map((line) => JSON.parse(line))
  const [started] = await process.until(() => events().filter(({ event }) => event === 'started'))
  const [address = ''] = started?.addresses ?? []

  return { process, address, events, [Symbol.asyncDispose]: () => process[Symbol.asyncDispose]() }
}
