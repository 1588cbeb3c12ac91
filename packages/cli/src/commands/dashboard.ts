import type { Context } from '../context.ts'
import {
  addControlOptions,
  type ControlOptions,
  controlledNode
} from '../control/control-client.ts'
import {
  addDashboardOptions,
  type DashboardOptions,
  dashboardInit
} from '../dashboard/dashboard-options.ts'
import { DONE } from '../errors.ts'
import { DEFAULT_DASHBOARD_PORT, givenToken, newToken } from '../http/options.ts'
import { addLocalPortOption, type LocalPortOptions } from '../network/local-ports.ts'
import { parsePort } from '../text/count.ts'
import { act, define, type Program } from './define.ts'
import { dashboardAddress, untilStopped } from './serve-status.ts'

type Options = ControlOptions & LocalPortOptions & DashboardOptions & { readonly port: string }

export function addDashboard(program: Program): void {
  const command = define(program, {
    usage: 'dashboard',
    summary: 'Show a node on this machine in the browser',
    more: [
      'Prints the address of a page that shows how to join, the health, peers and records of the node, and how it changes. Ctrl-C ends it, and the node goes on. waggle serve --dashboard serves the same page.'
    ],
    examples: [
      ['waggle dashboard', 'the only node on this machine'],
      ['waggle dashboard --node 4711 --port 0', 'one of several nodes, on any free port'],
      ['waggle dashboard --dashboard-write', 'a page that also stores and watches values']
    ]
  })
  command.option('--port <port>', 'port of the page', String(DEFAULT_DASHBOARD_PORT))
  addDashboardOptions(addLocalPortOption(addControlOptions(command)))
  act(program, command, dashboard)
}

async function dashboard(context: Context, options: Options): Promise<number> {
  const { io } = context
  const port = parsePort(options.port, '--port')
  const given = givenToken(io)
  const token = given ?? newToken()
  const { path, overview } = await controlledNode(options, io)
  const { serveDashboard } = await import('../dashboard/dashboard-server.ts')
  await using server = await serveDashboard({
    ...{ socket: path, port, token, option: '--port' },
    ...dashboardInit(options)
  })
  const endpoint = { url: server.url, newToken: given === undefined ? token : null }
  context.answer({
    json: { event: 'started', node: overview.pid, ...endpoint },
    text: `Dashboard: ${context.paint('strong', dashboardAddress(endpoint))}`
  })
  context.note(`It shows the node of the process ${overview.pid}. Ctrl-C ends it.`)
  await untilStopped(io.signal)
  return DONE
}
