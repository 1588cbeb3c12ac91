import { type Span, spansOf } from './ansi.ts'

const CELL = { width: 8.4, height: 18 }
const MARGIN = 14
const GROUND = '#0d1117'
const TEXT = '#c9d1d9'

export interface Screen {
  readonly title: string
  readonly columns: number
  readonly lines: readonly string[]
}

/** A picture of a terminal. Each span gets the width of its cells, whatever font there is. */
export function svgOf({ title, columns, lines }: Screen): string {
  const width = Math.ceil(columns * CELL.width + 2 * MARGIN)
  const height = lines.length * CELL.height + 2 * MARGIN
  const spans = spansOf(lines).flatMap((line, row) =>
    line.filter(({ text }) => text.trim() !== '').map((span) => spanSvg(span, row))
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14" fill="${TEXT}">
<title>${escaped(title)}</title>
<rect width="${width}" height="${height}" rx="8" fill="${GROUND}"/>
${spans.join('\n')}
</svg>
`
}

function spanSvg({ text, column, color, isBold }: Span, row: number): string {
  const leading = text.length - text.trimStart().length
  const shown = text.trim()
  const x = (MARGIN + (column + leading) * CELL.width).toFixed(1)
  const y = MARGIN + row * CELL.height + 13
  const length = (Array.from(shown).length * CELL.width).toFixed(1)
  const style = `${color === undefined ? '' : ` fill="${color}"`}${isBold ? ' font-weight="bold"' : ''}`
  return `<text x="${x}" y="${y}" textLength="${length}" lengthAdjust="spacingAndGlyphs" xml:space="preserve"${style}>${escaped(shown)}</text>`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
