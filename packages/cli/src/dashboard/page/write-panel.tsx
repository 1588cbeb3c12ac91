import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { type Json, lines } from '../../text/json.ts'
import type { Client } from './client.ts'
import { Panel } from './panel.tsx'

/** Results kept. */
const MAX_RESULTS = 20

interface Result {
  readonly id: number
  readonly title: string
  readonly text: string
  readonly isError?: boolean
}

interface Fields extends Place {
  readonly value: string
  readonly ttl: string
}

type Tell = (title: string, json: Json | Error) => void

/** Stores, gets and watches values. */
export function WritePanel({ client }: { client: Client }): JSX.Element {
  const [fields, setFields] = useState<Fields>({ key: '', subkey: '', value: '', ttl: '1h' })
  const [results, tell] = useResults()
  const watch = useWatch(client, tell)
  const { key } = fields
  const run = (title: string, json: Promise<Json>): void => {
    json.then(
      (told) => tell(title, told),
      (error) => tell(title, error)
    )
  }
  const field = (name: keyof Fields, label: string, isRequired = false): JSX.Element => (
    <label>
      <span class="label">{label}</span>
      <input
        name={name}
        value={fields[name]}
        required={isRequired}
        autocomplete="off"
        onInput={(event) => setFields({ ...fields, [name]: event.currentTarget.value })}
      />
    </label>
  )

  return (
    <Panel title="Store, get and watch" wide>
      <form
        class="fields"
        onSubmit={(event) => {
          event.preventDefault()
          run(`store ${key}`, store(client, fields))
        }}
      >
        {field('key', 'Key', true)}
        {field('subkey', 'Subkey, if any')}
        {field('value', 'Value: JSON, or text')}
        {field('ttl', 'Lifetime', true)}
        <div class="actions">
          <button type="submit" disabled={key === ''}>
            Store
          </button>
          <button
            type="button"
            disabled={key === ''}
            onClick={() => run(`get ${key}`, get(client, fields))}
          >
            Get
          </button>
          <button
            type="button"
            disabled={key === '' && watch.key === undefined}
            onClick={() => (watch.key === undefined ? watch.start(fields) : watch.stop())}
          >
            {watch.key === undefined ? 'Watch' : `Stop watching ${watch.key}`}
          </button>
        </div>
      </form>
      <Results results={results} />
    </Panel>
  )
}

function Results({ results }: { results: readonly Result[] }): JSX.Element {
  return (
    <ol class="results" aria-live="polite">
      {results.map(({ id, title, text, isError }) => (
        <li key={id} class={isError === true ? 'error' : undefined}>
          <span class="label">{title}</span>
          <pre>{text}</pre>
        </li>
      ))}
    </ol>
  )
}

function useResults(): readonly [results: readonly Result[], tell: Tell] {
  const [results, setResults] = useState<readonly Result[]>([])
  const count = useRef(0)
  const tell: Tell = (title, json) => {
    const isError = json instanceof Error
    const text = isError ? json.message : lines(json)
    const result = { id: count.current++, title, text, isError }
    setResults((before) => [result, ...before].slice(0, MAX_RESULTS))
  }
  return [results, tell]
}

interface Watch {
  /** The key that is watched, if any. */
  readonly key: string | undefined
  start(place: Place): void
  stop(): void
}

/** Watches one place at a time, as long as the panel is there. */
function useWatch(client: Client, tell: Tell): Watch {
  const [key, setKey] = useState<string | undefined>()
  const watch = useRef<AbortController | undefined>(undefined)
  useEffect(() => () => watch.current?.abort(), [])

  const follow = async (place: Place, signal: AbortSignal): Promise<void> => {
    const title = `watch ${place.key}`

    try {
      for await (const change of client.events<Json>(pathOf('watch', place), signal)) {
        tell(title, change)
      }
    } catch (error) {
      signal.aborted || tell(title, error as Error)
    }

    signal.aborted || setKey(undefined)
  }

  return {
    key,
    start(place) {
      watch.current = new AbortController()
      setKey(place.key)
      void follow(place, watch.current.signal)
    },
    stop() {
      watch.current?.abort()
      setKey(undefined)
    }
  }
}

function store(client: Client, fields: Fields): Promise<Json> {
  const type = isJson(fields.value) ? 'application/json' : 'text/plain'
  return client.json(pathOf('keys', fields, { ttl: fields.ttl }), {
    method: 'PUT',
    body: fields.value,
    headers: { 'content-type': type }
  })
}

function get(client: Client, place: Place): Promise<Json> {
  return client.json(pathOf('keys', place, { latest: 'true' }))
}

interface Place {
  readonly key: string
  readonly subkey: string
}

function pathOf(
  kind: 'keys' | 'watch',
  { key, subkey }: Place,
  more: Readonly<Record<string, string>> = {}
): string {
  const query = new URLSearchParams({ ...(subkey !== '' && { subkey }), ...more })
  return `/v1/${kind}/${encodeURIComponent(key)}?${query}`
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
