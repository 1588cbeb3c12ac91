import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { temporaryDirectory } from '../../../dht/test/support/temporary-directory.ts'
import { served } from '../support/served.ts'
import { RunningWaggle, waggle } from '../support/waggle-process.ts'

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

describe('the container', () => {
  it('runs a node that is found healthy and stops when it is told to', async () => {
    const file = await operations('Containerfile')
    await using directory = await temporaryDirectory()
    const ownPlace: Record<string, string> = {
      ':1337': '127.0.0.1:0',
      '9464': '0',
      '/var/lib/waggle': join(directory.path, 'data')
    }
    const options = { env: { TMPDIR: directory.path } }
    const command = instruction(file, /^CMD (\[.*\])$/m).map((word) => ownPlace[word] ?? word)
    const [program, ...check] = instruction(file, /^HEALTHCHECK .*CMD (\[.*\])$/m)
    await using node = new RunningWaggle(command, options)
    await node.line(/--initial-peers/)

    expect([program]).toEqual(instruction(file, /^ENTRYPOINT (\[.*\])$/m))
    expect(command.filter((word) => word.startsWith(directory.path))).toHaveLength(1)
    expect(await waggle(check, options)).toMatchObject({ exitCode: 0, stderr: '' })

    node.kill('SIGTERM')
    expect((await node.ended()).exitCode).toBe(0)
    expect((await waggle(check, options)).exitCode).toBe(1)
  })

  it('belongs to a user without rights', async () => {
    expect(await operations('Containerfile')).toMatch(/^USER [1-9]\d*$/m)
  })
})

function instruction(file: string, pattern: RegExp): string[] {
  return JSON.parse(pattern.exec(file)?.[1] ?? '[]')
}
