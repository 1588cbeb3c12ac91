/** Characters that look the same. */
export interface Span {
  readonly text: string
  readonly column: number
  readonly color: string | undefined
  readonly isBold: boolean
}

/** What the program of a terminal makes of the colours; ours are readable on dark ground. */
const COLORS: Readonly<Record<number, string>> = {
  31: '#ff7b72',
  32: '#7ee787',
  33: '#d29922',
  34: '#79c0ff',
  35: '#d2a8ff',
  36: '#76e3ea',
  37: '#c9d1d9',
  90: '#8b949e'
}

/** Sets colours and weight from there on: ESC [ 1;32 m. */
const SGR = new RegExp(`${String.fromCharCode(27)}\\[([\\d;]*)m`)

/** The spans of the lines that a terminal has shown, by its escape sequences for colours, which last beyond a line. */
export function spansOf(lines: readonly string[]): Span[][] {
  let style: Style = { color: undefined, isBold: false }

  return lines.map((line) => {
    const spans: Span[] = []
    let column = 0

    for (const [index, part] of line.split(SGR).entries()) {
      if (index % 2 === 1) {
        style = part.split(';').map(Number).reduce(styled, style)
      } else if (part !== '') {
        spans.push({ text: part, column, ...style })
        column += Array.from(part).length
      }
    }

    return spans
  })
}

type Style = Pick<Span, 'color' | 'isBold'>

function styled(style: Style, code: number): Style {
  switch (code) {
    case 0:
      return { color: undefined, isBold: false }
    case 1:
      return { ...style, isBold: true }
    case 22:
      return { ...style, isBold: false }
    case 39:
      return { ...style, color: undefined }
    default:
      return { ...style, color: COLORS[code] ?? style.color }
  }
}
