import type { JSX } from 'preact'
import type { Sample } from '../../control/history.ts'
import { shownBytes, shownCount } from '../../text/count.ts'
import { Chart } from './chart.tsx'
import { shownPerSecond } from './format.ts'
import { Panel } from './panel.tsx'

type Counted = 'receivedBytes' | 'sentBytes' | 'cpuSeconds' | 'servedKeys' | 'calls'

/** Charts of the node's figures over time. */
export function ActivityPanel({ samples }: { samples: readonly Sample[] }): JSX.Element {
  const times = samples.map(({ time }) => time)
  const rate = (name: Counted): number[] => ratesOf(samples, name)
  return (
    <Panel title="Activity" wide>
      <div class="charts">
        <Chart
          title="Records held"
          times={times}
          series={[{ name: 'records', values: samples.map(({ records }) => records) }]}
          shown={(count) => shownCount(Math.round(count))}
        />
        <Chart
          title="Traffic"
          times={times}
          series={[
            { name: 'in', values: rate('receivedBytes') },
            { name: 'out', values: rate('sentBytes') }
          ]}
          shown={(bytes) => `${shownBytes(bytes)}/s`}
        />
        <Chart
          title="Processor"
          times={times}
          series={[{ name: 'of one core', values: rate('cpuSeconds') }]}
          shown={(cores) => `${Math.round(cores * 100)} %`}
        />
        <Chart
          title="Work"
          times={times}
          series={[
            { name: 'keys served', values: rate('servedKeys') },
            { name: 'own calls', values: rate('calls') }
          ]}
          shown={shownPerSecond}
        />
      </div>
    </Panel>
  )
}

/** Computes amounts per second from counts that grow; the first sample has none before it. */
function ratesOf(samples: readonly Sample[], name: Counted): number[] {
  return samples.map((sample, index) => {
    const before = samples[index - 1]
    const seconds = sample.time - (before?.time ?? sample.time)
    // A restarted node counts from zero.
    return before === undefined || seconds <= 0
      ? 0
      : Math.max((sample[name] - before[name]) / seconds, 0)
  })
}
