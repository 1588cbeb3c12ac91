import type { ComponentChildren, JSX } from 'preact'
import { useId, useRef, useState } from 'preact/hooks'

interface PanelProps {
  readonly title: string
  readonly note?: string | undefined
  readonly wide?: boolean
  readonly children: ComponentChildren
}

/** A part of the page with its heading. */
export function Panel({ title, note, wide = false, children }: PanelProps): JSX.Element {
  const id = useId()
  return (
    <section class={wide ? 'panel wide' : 'panel'} aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        {note !== undefined && <p class="note">{note}</p>}
      </header>
      {children}
    </section>
  )
}

/** Milliseconds for which a button says that it has copied. */
const COPIED_MS = 2000

/** A text with a button that copies it. */
export function Copyable({ label, text }: { label: string; text: string }): JSX.Element {
  const code = useRef<HTMLElement>(null)
  const [isCopied, setCopied] = useState(false)

  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text)
      setCopied(true)
      setTimeout(() => setCopied(false), COPIED_MS)
    } catch {
      // The user can still copy what is selected.
      code.current && getSelection()?.selectAllChildren(code.current)
    }
  }

  return (
    <div class="copyable">
      <span class="label">{label}</span>
      <div class="line">
        <code ref={code}>{text}</code>
        <button type="button" aria-label={`Copy: ${label}`} onClick={() => void copy()}>
          {isCopied ? 'Copied' : 'Copy'}
        </button>
      </div>
    </div>
  )
}

interface TableProps {
  readonly label: string
  readonly headings: readonly string[]
  readonly rows: readonly {
    readonly key: string
    readonly cells: readonly ComponentChildren[]
  }[]

  /** Shown when there are no rows. */
  readonly empty: string

  /** Columns of numbers, which are aligned to the right. */
  readonly numbers?: readonly number[]

  /** Columns that narrow screens leave out. */
  readonly optional?: readonly number[]
}

/** A table that scrolls within itself, also by keys. */
export function Table(props: TableProps): JSX.Element {
  const { label, headings, rows, empty, numbers = [], optional = [] } = props
  const classOf = (column: number): string =>
    [numbers.includes(column) && 'number', optional.includes(column) && 'optional']
      .filter(Boolean)
      .join(' ')

  if (rows.length === 0) {
    return <p class="empty">{empty}</p>
  }

  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: without it, keys could not scroll the table
    <section class="scroller" tabIndex={0} aria-label={label}>
      <table>
        <thead>
          <tr>
            {headings.map((heading, column) => (
              <th key={heading} scope="col" class={classOf(column)}>
                {heading}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, cells }) => (
            <tr key={key}>
              {cells.map((cell, column) => (
                <td key={headings[column]} class={classOf(column)}>
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
