// A process for the tests of `Child`.
import { serve } from '../../src/processes/serve.ts'

const handlers = {
  echo: ({ text }: { text: string }) => text,
  nothing: () => undefined,
  fail: () => {
    throw new Error('out of order')
  },
  never: () => new Promise<void>(() => {})
}

export type EchoHandlers = typeof handlers

serve(handlers)
