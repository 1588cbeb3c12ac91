import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { RecordPage } from '../../control/held-records.ts'
import { counted } from '../../text/count.ts'
import { shownDuration } from '../../text/time.ts'
import type { Client } from './client.ts'
import { Panel, Table } from './panel.tsx'
import { type Located, Where, type Whereabouts } from './where.tsx'

/** Records on a page, and at most. */
const PAGE = 50
const MAX_RECORDS = 500

/** Milliseconds between two refreshes of the records, and after the last key press. */
const REFRESH_MS = 5000
const TYPING_MS = 300

export interface RecordsProps {
  readonly client: Client
  readonly onLocate: (position: number | undefined) => void
}

/** The records that expire next, with a search, and where a key lives. */
export function RecordsPanel({ client, onLocate }: RecordsProps): JSX.Element {
  const [text, setText] = useState('')
  const [count, setCount] = useState(PAGE)
  const page = useRecords(client, text, count)
  const [where, setWhere] = useState<Whereabouts | undefined>()

  const locate = async (key: string): Promise<void> => {
    setWhere({ key, isSearching: true })
    onLocate(undefined)

    try {
      const located = await client.json<Located>(`/inspect?key=${encodeURIComponent(key)}`)
      setWhere({ key, located })
      onLocate(Number.parseInt(located.point.slice(0, 12), 16) / 2 ** 48)
    } catch (error) {
      setWhere({ key, error: (error as Error).message })
    }
  }

  const close = (): void => {
    setWhere(undefined)
    onLocate(undefined)
  }

  return (
    <Panel title="Next expirations" note={page && noteOf(page, text)}>
      <form
        class="search"
        onSubmit={(event) => {
          event.preventDefault()
          text !== '' && void locate(text)
        }}
      >
        <input
          type="search"
          aria-label="Search by key"
          placeholder="Search by key"
          value={text}
          onInput={(event) => {
            setText(event.currentTarget.value)
            setCount(PAGE)
          }}
        />
        <button type="submit" disabled={text === ''}>
          Where does this key live?
        </button>
      </form>
      <div aria-live="polite">{where !== undefined && <Where where={where} onClose={close} />}</div>
      <Records page={page} onLocate={(key) => void locate(key)} />
      {page !== undefined && page.matches > page.records.length && count < MAX_RECORDS && (
        <button type="button" class="more" onClick={() => setCount(count + PAGE)}>
          Show more
        </button>
      )}
    </Panel>
  )
}

function Records({
  page,
  onLocate
}: {
  page: RecordPage | undefined
  onLocate: (key: string) => void
}): JSX.Element {
  const now = Date.now() / 1000
  return (
    <Table
      label="Records that expire next"
      headings={['in', 'key', 'value', 'lives']}
      optional={[2]}
      empty={page === undefined ? 'Reading…' : 'The node holds no such record.'}
      rows={(page?.records ?? []).map(({ key, value, expirationTime }) => ({
        key,
        cells: [
          shownDuration(Math.max(expirationTime - now, 0)),
          <code key="key" class="cut" title={key}>
            {key}
          </code>,
          <code key="value" class="cut faint" title={value}>
            {value}
          </code>,
          <button
            key="where"
            type="button"
            aria-label={`Where does ${key} live?`}
            onClick={() => onLocate(key)}
          >
            where?
          </button>
        ]
      }))}
    />
  )
}

function noteOf({ records, matches }: RecordPage, text: string): string {
  const all = counted(matches, 'record')
  return `${text === '' ? '' : 'found '}${all}${matches > records.length ? `, ${records.length} shown` : ''}`
}

function useRecords(client: Client, text: string, count: number): RecordPage | undefined {
  const [page, setPage] = useState<RecordPage | undefined>()

  useEffect(() => {
    const ended = new AbortController()
    const { signal } = ended
    const path = `/search?records=${count}&key=${encodeURIComponent(text)}`
    const read = async (): Promise<void> => {
      const found = await client.json<RecordPage>(path, { signal }).catch(() => undefined)

      if (!signal.aborted) {
        setPage((before) => found ?? before)
        waiting = setTimeout(() => void read(), REFRESH_MS)
      }
    }
    let waiting = setTimeout(() => void read(), text === '' ? 0 : TYPING_MS)

    return () => {
      clearTimeout(waiting)
      ended.abort()
    }
  }, [client, text, count])

  return page
}
