/** Some nodes in a process of their own, which do what the process that started it calls for. */
import { answerCalls } from '../../calls/answer-calls.ts'
import { Host, type HostInit, type HostState } from './host.ts'

export interface HostCalls {
  /** Resolves with the addresses under which the nodes are reached. */
  start(init: HostInit): Promise<string[]>
  work(options: { forMs: number; atOnce: number }): Promise<void>
  replace(argument: undefined): Promise<string[]>
  state(argument: undefined): HostState

  /** Stops all nodes. */
  stop(argument: undefined): Promise<void>
}

let host: Host | undefined

answerCalls<HostCalls>({
  start(init) {
    host = new Host(init)
    return host.start()
  },
  work: (options) => started().work(options),
  replace: () => started().replace(),
  state: () => started().state(),
  stop: () => started().stop()
})

function started(): Host {
  if (host === undefined) {
    throw new Error('the host has not been started')
  }

  return host
}
