import { flushCompileCache } from 'node:module'
import { createInterface } from 'node:readline'

/** Functions of a process by name. Parameters and results travel as JSON. */
export type Handlers = Record<string, (params: never) => unknown>

export interface Request {
  readonly id: number
  readonly name: string
  readonly params: unknown
}

/** Has an error if the handler failed. */
export interface Reply {
  readonly id: number
  readonly result?: unknown
  readonly error?: string
}

/** Serves the calls of the parent process, and ends with it. */
export function serve(handlers: Handlers): void {
  const lines = createInterface({ input: process.stdin })
  let isFirst = true

  lines.on('line', async (line) => {
    process.stdout.write(`${JSON.stringify(await replyTo(JSON.parse(line), handlers))}\n`)

    // Node would write its compile cache when the process ends, but most of these processes are killed.
    isFirst && flushCompileCache()
    isFirst = false
  })
  lines.on('close', () => process.exit())
}

async function replyTo({ id, name, params }: Request, handlers: Handlers): Promise<Reply> {
  try {
    const handler = handlers[name] as ((params: unknown) => unknown) | undefined

    if (handler === undefined) {
      throw new Error(`no handler is called ${name}`)
    }

    return { id, result: (await handler(params)) ?? null }
  } catch (error) {
    return { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}
