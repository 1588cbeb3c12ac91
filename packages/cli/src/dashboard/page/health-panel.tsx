import type { JSX } from 'preact'
import type { Remark } from '../../control/health.ts'
import { Panel } from './panel.tsx'

const WORDS = { good: 'Well', bad: 'Problem', warn: 'Attention', info: 'Note' }

/** The node's health in sentences, with remedies. */
export function HealthPanel({ health }: { health: readonly Remark[] }): JSX.Element {
  return (
    <Panel title="Health">
      <ul class="remarks">
        {health.map(({ tone, text, remedy }) => (
          <li key={text} class={tone}>
            <strong class="tag">{WORDS[tone]}</strong>
            <p>
              {text}
              {remedy !== undefined && <span class="remedy">{remedy}</span>}
            </p>
          </li>
        ))}
      </ul>
    </Panel>
  )
}
