// A process for the tests of `Remote`.
import { serve } from '../../src/processes/serve.ts'
import type { EchoHandlers } from './echo.ts'

serve<EchoHandlers>({
  async echo({ text }) {
    return text
  },

  async fail() {
    throw new Error('out of order')
  },

  async never() {
    await new Promise(() => undefined)
  }
})
