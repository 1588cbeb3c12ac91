import type { JSX } from 'preact'
import type { NodeEvent } from '../../control/node-events.ts'
import { shownClock } from '../../text/time.ts'
import { withShortIds } from './format.ts'
import { Panel } from './panel.tsx'

/** Recent events, newest first. */
export function EventsPanel({ events }: { events: readonly NodeEvent[] }): JSX.Element {
  return (
    <Panel title="Events" wide>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: without it, keys could not scroll the list */}
      <section class="scroller" tabIndex={0} aria-label="Recent events">
        <ol class="events">
          {events.map(({ time, tone, text }) => (
            <li key={`${time} ${text}`} class={tone}>
              <time dateTime={new Date(time * 1000).toISOString()}>{shownClock(time)}</time>
              <span title={text}>{withShortIds(text)}</span>
            </li>
          ))}
        </ol>
      </section>
    </Panel>
  )
}
