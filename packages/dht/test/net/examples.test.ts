import { describe, expect, it } from 'vitest'
import { runScript } from '../support/run-script.ts'
import { RunningScript } from '../support/running-script.ts'

/** The last output of each program when it has worked. */
const ENDINGS: Readonly<Record<string, RegExp>> = {
  'drop-in': /says that it is \d{4}-/,
  'service-discovery': /hears: hello from one[\s\S]*does not answer[\s\S]*hears: hello from two/,
  'petals-servers': /tiny-llama: 4 blocks, 2 servers[\s\S]*online, 12 tokens\/s, blocks 0, 1, 2\n/,
  mirror: /copied 2 entries\nloss is 0.25/,
  experiment: /slow is in epoch 3[\s\S]*all have finished epoch 3/
}

describe('the example', () => {
  it.concurrent.each(Object.entries(ENDINGS))('%s does what it is for', async (name, ending) => {
    const { exitCode, stdout, stderr } = await runScript(`examples/${name}.ts`)

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout).toMatch(ending)
  })

  it('presence shows who is here, until Ctrl-C', async () => {
    await using alice = new RunningScript('examples/presence.ts', ['alice'])
    const [, address = ''] = /join with: (\S+)/.exec(await alice.line(/others join with/)) ?? []
    await using bob = new RunningScript('examples/presence.ts', ['bob', address])
    await alice.line(/^here: alice, bob$/)

    expect(await bob.end('SIGINT')).toEqual({ exitCode: 0, stderr: '' })
    await alice.last(/^here: alice$/)
  })
})
