import type { Stats } from '@waggle/dht'
import { describe, expect, it } from 'vitest'
import { callFigures } from '../../src/control/call-figures.ts'
import { transportOf } from '../../src/control/connections.ts'
import { type HealthInit, healthOf } from '../../src/control/health.ts'
import { History, type Sample } from '../../src/control/history.ts'
import { lines } from '../../src/text/json.ts'

const SAMPLE: Sample = {
  ...{ time: 1000, records: 0, bytes: 0, peers: 0, cpuSeconds: 0, receivedBytes: 0, sentBytes: 0 },
  ...{ servedKeys: 0, calls: 0, busy: 0, full: 0, replicasFull: 0 }
}

const WELL: HealthInit = {
  stats: { knownPeers: 3, peers: 2, clockSkewMs: 20, persistence: { state: 'ok' } } as Stats,
  uptimeSeconds: 600,
  addresses: ['/ip4/203.0.113.7/tcp/1337'],
  samples: [SAMPLE]
}

function withStats(stats: Partial<Stats>): HealthInit {
  return { ...WELL, stats: { ...WELL.stats, ...stats } }
}

describe('healthOf', () => {
  it('says that all is well when nothing is wrong', () => {
    expect(healthOf(WELL)).toEqual([
      {
        tone: 'good',
        text: 'The node works: it knows 3 other servers and is connected to 2 peers.'
      }
    ])
  })

  it.each([
    ['a disk that fails', withStats({ persistence: disk('failing') }), 'bad', /No space left/],
    ['a damaged database', withStats({ persistence: disk('ok', '/d') }), 'warn', /2 records/],
    ['a wrong clock', withStats({ clockSkewMs: -1500 }), 'warn', /1.5 s ahead of/],
    ['a clock that harms', withStats({ clockSkewMs: 4000 }), 'bad', /4 s behind/],
    ['loneliness', withStats({ knownPeers: 0 }), 'warn', /knows no other server/],
    ['no disk', withStats({ persistence: undefined }), 'info', /in memory only/],
    ['loopback', { ...WELL, addresses: ['/ip4/127.0.0.1/tcp/1'] }, 'info', /this machine only/],
    ['a full node', grown({ full: 7 }), 'warn', /refused 7 records/],
    ['a full network', grown({ replicasFull: 8 }), 'warn', /8 replies/],
    ['overload', grown({ busy: 9 }), 'warn', /put off 9 requests/]
  ])('tells of %s, and what to do', (_name, init, tone, text) => {
    const remarks = healthOf(init).filter((remark) => text.test(remark.text))
    expect(remarks).toEqual([{ tone, text: expect.any(String), remedy: expect.any(String) }])
    expect(healthOf(init).some((remark) => remark.tone === 'good')).toBe(tone === 'info')
  })

  it('says nothing of what happened more than ten minutes ago', () => {
    const [before, after] = [SAMPLE, { ...SAMPLE, time: 1100, full: 7 }]
    const late = { ...after, time: 1701 }
    expect(healthOf({ ...WELL, samples: [before, after, late] })).toEqual(healthOf(WELL))
  })

  it('gives a node time to find others', () => {
    const init = { ...withStats({ knownPeers: 0 }), uptimeSeconds: 5 }
    expect(healthOf(init)).toEqual([{ tone: 'good', text: 'The node works.' }])
  })
})

function disk(state: 'ok' | 'failing', damagedFiles?: string): Stats['persistence'] {
  return {
    ...{ state, damagedFiles, error: 'No space left', durability: 'written', damaged: 2 },
    ...{ pending: 0, records: 0, bytes: 0, restored: 0 }
  }
}

function grown(counts: Partial<Sample>): HealthInit {
  return { ...WELL, samples: [SAMPLE, { ...SAMPLE, time: 1010, ...counts }] }
}

describe('History', () => {
  it('keeps all of the past in fewer samples, and then the last hour and a half', () => {
    using history = new History(async () => SAMPLE)
    let time = 0

    for (let intervalSeconds = 1; time < 86_400; time += intervalSeconds) {
      history.add({ ...SAMPLE, time })
      const [last, before] = [history.samples.at(-1), history.samples.at(-2)]
      const gap = (last?.time ?? 0) - (before?.time ?? 0)
      intervalSeconds = history.samples.length === 181 ? Math.min(2 * gap, 16) : intervalSeconds
    }

    const { samples } = history
    expect(samples.length).toBeLessThanOrEqual(360)
    expect(samples.at(-1)?.time).toBeGreaterThan(86_000)
    expect(86_400 - (samples[0]?.time ?? 0)).toBeGreaterThan(5000)
    expect(86_400 - (samples[0]?.time ?? 0)).toBeLessThan(6000)
  })
})

describe('callFigures', () => {
  it('estimates quantiles within buckets', () => {
    const bucket = (le: number | string, value: number): object => ({
      metricName: 'waggle_call_seconds_bucket',
      labels: { call: 'get', le },
      value
    })
    const values = [bucket('+Inf', 100), bucket(0.001, 50), bucket(0.003, 90), bucket(0.01, 100)]
    const [figures] = callFigures(values as Parameters<typeof callFigures>[0])
    expect(figures).toEqual({
      call: 'get',
      count: 100,
      p50Ms: expect.closeTo(1),
      p99Ms: expect.closeTo(9.3)
    })
  })

  it('knows no quantile beyond the last bucket', () => {
    const labels = { call: 'get', le: '+Inf' }
    const values = [{ metricName: 'x_bucket', labels, value: 3 }]
    expect(callFigures(values)).toEqual([
      { call: 'get', count: 3, p50Ms: undefined, p99Ms: undefined }
    ])
  })
})

describe('transportOf', () => {
  it.each([
    ['/ip4/1.2.3.4/tcp/5', 'TCP'],
    ['/ip4/1.2.3.4/tcp/5/ws', 'ws'],
    ['/dns4/a.example/tcp/443/tls/ws', 'wss'],
    ['/ip4/1.2.3.4/tcp/5/p2p/12D3/p2p-circuit', 'relay'],
    ['/ip4/1.2.3.4/tcp/5/p2p/12D3/p2p-circuit/webrtc', 'relay'],
    ['/memory/a', 'other']
  ])('%s: %s', (address, transport) => {
    expect(transportOf(address)).toBe(transport)
  })
})

describe('lines', () => {
  it('escapes what is not seen, and keeps its own line ends', () => {
    expect(lines({ key: '\u202egnp\n', list: [1] })).toBe(
      '{\n "key": "\\u202egnp\\n",\n "list": [\n  1\n ]\n}'
    )
  })
})
