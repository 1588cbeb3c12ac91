import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { served } from '../support/served.ts'
import { waggle } from '../support/waggle-process.ts'

interface Dashboard {
  readonly panels: readonly { readonly targets: readonly { readonly expr: string }[] }[]
}

function operations(name: string): Promise<string> {
  return readFile(
    fileURLToPath(new URL(`../../../../docs/operations/${name}`, import.meta.url)),
    'utf8'
  )
}

/** Prometheus' own, of each target. */
const OF_PROMETHEUS = ['up']

describe('the dashboard for Grafana', () => {
  it('asks for nothing that a node does not tell', async () => {
    await using node = await served(['--metrics-port', '0'])
    await waggle(['store', 'k', 'v', '-p', node.address])
    const started = node.events().find(({ event }) => event === 'started')
    const text = await (await fetch(String(started?.metricsUrl))).text()
    const told = new Set(Array.from(text.matchAll(/^# TYPE (\w+)/gm), ([, name]) => name))
    const { panels }: Dashboard = JSON.parse(await operations('grafana-dashboard.json'))
    const asked = panels
      .flatMap(({ targets }) => targets)
      .flatMap(({ expr }) => Array.from(expr.matchAll(/(\w+)\{/g), ([, name = '']) => name))
      .map((name) => name.replace(/_bucket$/, ''))

    expect(new Set(asked).size).toBeGreaterThan(15)
    expect(asked.filter((name) => !told.has(name) && !OF_PROMETHEUS.includes(name))).toEqual([])
    expect(text).toMatch(/libp2p_data_transfer_bytes_total\{protocol="global sent"\} \d+/)
    expect(text).toMatch(/waggle_records_total\{event="stored"\} 1/)
  })
})

describe('the unit for systemd and the container', () => {
  it.each([
    ['waggle.service', /ExecStart=\/usr\/bin\/env waggle (.*?)\n(?![ ])/s],
    ['Containerfile', /^CMD \["(.*)"\]$/m]
  ])('%s starts a command that there is', async (name, pattern) => {
    const [, command = ''] = pattern.exec(await operations(name)) ?? []
    const [subcommand = '', ...words] = command
      .replaceAll(/", "|\\\n/g, ' ')
      .trim()
      .split(/\s+/)
    const { stdout } = await waggle([subcommand, '--help'])
    const options = words.filter((word) => word.startsWith('--'))

    expect(subcommand).toBe('serve')
    expect(options.length).toBeGreaterThan(2)
    expect(options.filter((option) => !stdout.includes(option))).toEqual([])
  })
})
