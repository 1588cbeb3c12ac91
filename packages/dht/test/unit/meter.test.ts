import { prometheusMetrics } from '@libp2p/prometheus-metrics'
import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { BusyError, TimeoutError, UnreachableError } from '../../src/errors.ts'
import { Meter } from '../../src/metrics/meter.ts'
import { leanLogger } from '../../src/node/lean-logger.ts'

describe('a call that fails', () => {
  it.each([
    ['busy', new BusyError('no peer responded')],
    ['timeout', new TimeoutError('the call took too long')],
    ['unreachable', new UnreachableError(1)],
    ['error', new Error('the disk failed')],
    ['error', undefined]
  ])('counts as %s', async (outcome, reason) => {
    const registry = new Registry()
    const metrics = prometheusMetrics({ registry, collectDefaultMetrics: false })
    const meter = new Meter(metrics({ logger: leanLogger() }))
    meter.onFailure('get', 1, { reason, isAborted: false })
    const counted = await registry.getSingleMetric('waggle_get_total')?.get()

    expect(counted?.values).toEqual([{ labels: { outcome }, value: 1 }])
  })
})
