import type { Stats } from '@waggle/dht'
import type { JSX } from 'preact'
import type { CallFigures } from '../../control/call-figures.ts'
import { shownBytes, shownCount } from '../../text/count.ts'
import { shownMs } from './format.ts'
import { Panel, Table } from './panel.tsx'

/** The node's work for other peers. */
export function ServedPanel({
  stats: { served, watchedForOthers }
}: {
  stats: Stats
}): JSX.Element {
  const { keys, writes, refused, bytes, changes } = served
  const figures: readonly (readonly [name: string, text: string])[] = [
    ['Keys read', shownCount(keys.find)],
    ['Keys stored', shownCount(keys.store)],
    ['Watches', `${shownCount(keys.watch)}, ${shownCount(watchedForOthers)} open`],
    ['Changes told', shownCount(changes)],
    ['Keys compared', shownCount(keys.compare)],
    ['Keys as a gateway', shownCount(keys.gateway)],
    ['Writes taken', shownCount(writes.accepted)],
    ['Writes beaten', shownCount(writes.stale)],
    ['Writes refused', shownCount(writes.full + writes.refused + writes.invalid + writes.expired)],
    ['Put off, busy', shownCount(refused.busy)],
    ['Sent', shownBytes(bytes)]
  ]
  return (
    <Panel title="Served to peers" note="since the node started">
      <dl class="figures">
        {figures.map(([name, text]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  )
}

/** The node's own calls and how long they took. */
export function CallsPanel({ calls }: { calls: readonly CallFigures[] }): JSX.Element {
  return (
    <Panel title="Own calls" note="since the node started">
      <Table
        label="Calls by kind"
        headings={['call', 'count', 'p50', 'p99']}
        numbers={[1, 2, 3]}
        empty="The node has made no calls of its own."
        rows={calls.map(({ call, count, p50Ms, p99Ms }) => ({
          key: call,
          cells: [call.replaceAll('_', ' '), shownCount(count), shownMs(p50Ms), shownMs(p99Ms)]
        }))}
      />
    </Panel>
  )
}
