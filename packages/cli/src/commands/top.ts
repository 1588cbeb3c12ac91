import { setTimeout as sleep } from 'node:timers/promises'
import type { Context } from '../context.ts'
import {
  addControlOptions,
  type ControlOptions,
  controlledNode
} from '../control/control-client.ts'
import { CommandError, DONE } from '../errors.ts'
import { act, define, type Program } from './define.ts'

export function addTop(program: Program): void {
  const command = define(program, {
    usage: 'top',
    summary: 'Watch a node on this machine live',
    more: [
      'Shows its peers on the ring of keys, the records that expire next, and rates. Press q to quit.'
    ],
    examples: [
      ['waggle top', 'the only node on this machine'],
      ['waggle top --node 4711', 'one of several nodes'],
      ['waggle top --json', 'a line every second, for programs']
    ]
  })
  addControlOptions(command)
  act(program, command, top)
}

const REFRESH_MS = 1000

async function top(context: Context, options: ControlOptions): Promise<number> {
  const { io } = context
  const { path } = await controlledNode(options)

  if (!context.isJson) {
    if (io.stdout.isTTY !== true || io.stdin.isTTY !== true) {
      throw new CommandError('top needs a terminal. Programs can use --json or waggle stats')
    }

    const { showTop } = await import('../screens/top.tsx')
    await showTop(io, path)
    return DONE
  }

  const { overviewAt } = await import('../control/control-client.ts')

  while (!io.signal.aborted) {
    context.answer({ json: JSON.parse(JSON.stringify(await overviewAt(path, 20))) })
    await sleep(REFRESH_MS, undefined, { signal: io.signal }).catch(() => {})
  }

  return DONE
}
