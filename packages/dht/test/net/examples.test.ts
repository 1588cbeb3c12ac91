import { describe, expect, it } from 'vitest'
import { runScript } from '../support/run-script.ts'

/** What each program says when it has worked. */
const ENDINGS: Readonly<Record<string, RegExp>> = {
  'drop-in': /says that it is \d{4}-/,
  'service-discovery': /hears: hello from one[\s\S]*does not answer[\s\S]*hears: hello from two/,
  experiment: /slow is in epoch 3[\s\S]*all have finished epoch 3/
}

describe('the example', () => {
  it.concurrent.each(Object.entries(ENDINGS))('%s does what it is for', async (name, ending) => {
    const { exitCode, stdout, stderr } = await runScript(`examples/${name}.ts`)

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout).toMatch(ending)
  })
})
