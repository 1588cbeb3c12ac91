import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { run } from '../../src/command.ts'
import { report } from '../../src/report/report.ts'
import { readResults } from '../../src/result/results-file.ts'
import { peers } from '../../src/scenarios/peers/peers.ts'
import { QUICK_MS, quickRun } from '../support/quick-run.ts'

// Quick runs show that everything works. Their figures mean nothing.

describe('the command', () => {
  it('runs a scenario, shows it, and keeps it for the report', {
    timeout: QUICK_MS
  }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'waggle-bench-'))
    const out = join(folder, 'results.json')
    const lines: string[] = []
    const io = {
      out: (line: string) => lines.push(line),
      err: (line: string) => lines.push(line),
      defaultOut: '/nonexistent/benchmarks.json',
      defaultReport: '/nonexistent/benchmarks.md',
      signal: new AbortController().signal
    }

    try {
      const args = ['watch', '--quick', '--system', 'waggle', '--out', out]
      expect(await run(args, io), lines.join('\n')).toBe(0)
      expect(lines.join('\n')).toContain('a request to five peers')

      const { watch } = readResults(out)
      expect(watch?.result.tables[0]?.rows).toHaveLength(3)
      expect(report({ ...(watch && { watch }) }, [])).toContain('## watch')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('the scenario peers', () => {
  it('measures Waggle, another system, bare streams and failing nodes, without a failure', {
    timeout: QUICK_MS
  }, async () => {
    const result = await quickRun(peers, { systems: ['kad'] })
    const [oneByOne] = result.tables

    expect(oneByOne?.rows.map(([system]) => system)).toEqual([
      "libp2p's own streams",
      'Waggle',
      'kad-dht'
    ])
    expect(result.goals.filter(({ text }) => text.includes('fails')).length).toBe(3)
    expect(result.goals.find(({ text }) => text.includes('none fails'))?.isMet).toBe(true)
    expect(result.goals.find(({ text }) => text.includes('OpenDHT'))).toBeUndefined()
  })
})
