import { createInterface } from 'node:readline'
import type { Handlers, Question, Reply } from './handlers.ts'

/** Answers the questions of the process that started this one, and ends with it. */
export function serve<H extends Handlers>(handlers: H): void {
  const lines = createInterface({ input: process.stdin })

  lines.on('line', (line) => {
    answer(handlers, JSON.parse(line) as Question).then(
      (reply) => process.stdout.write(`${JSON.stringify(reply)}\n`),
      // Only an answer that JSON can't hold gets here.
      (error: unknown) => {
        process.stderr.write(`${String(error)}\n`)
        process.exit(1)
      }
    )
  })
  lines.on('close', () => process.exit())
}

async function answer(handlers: Handlers, { id, name, params }: Question): Promise<Reply> {
  const handler = handlers[name] as ((params: unknown) => unknown) | undefined

  try {
    if (handler === undefined) {
      throw new Error(`no handler is called ${name}`)
    }

    return { id, result: (await handler(params)) ?? null }
  } catch (error) {
    return { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}
