import process from 'node:process'
import type { Answer, Call, Calls } from './calls.ts'

/**
 * Has this process do what the one that started it calls for, and end with it: whatever happens to
 * the other, nothing is left running.
 */
export function answerCalls<C extends Calls<C>>(calls: C): void {
  const handlers = new Map<string, (argument: never) => unknown>(Object.entries(calls))

  process.on('message', async (call: Call) => {
    const answer = await answerTo(call, handlers)
    process.send?.(answer)
  })
  process.on('disconnect', () => process.exit())
}

async function answerTo(
  { id, name, argument }: Call,
  handlers: ReadonlyMap<string, (argument: never) => unknown>
): Promise<Answer> {
  try {
    return { id, result: await handlers.get(name)?.(argument as never) }
  } catch (error) {
    return { id, error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) }
  }
}
