import type { Command } from 'commander'
import type { DashboardInit } from './dashboard-server.ts'

/** The options of a dashboard, for all commands that serve one. */
export interface DashboardOptions {
  readonly dashboardHost: string
  readonly dashboardWrite?: boolean
}

export function addDashboardOptions(command: Command): Command {
  return command
    .option('--dashboard-host <host>', 'address to serve the dashboard on', '127.0.0.1')
    .option('--dashboard-write', 'let the dashboard store, get and watch values')
}

export function dashboardInit({
  dashboardHost,
  dashboardWrite
}: DashboardOptions): Pick<DashboardInit, 'host' | 'canWrite'> {
  return { host: dashboardHost, canWrite: dashboardWrite === true }
}
