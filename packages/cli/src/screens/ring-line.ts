/** From nothing to much. */
const HEIGHTS = ' ▁▂▃▄▅▆▇█'

/** The ring of keys, cut open at 0 and laid out in a line: how many of the positions each column has. */
export function density(positions: readonly number[], columns: number): string {
  const counts = new Array<number>(columns).fill(0)

  for (const position of positions) {
    const column = columnOf(position, columns)
    counts[column] = (counts[column] ?? 0) + 1
  }

  const most = Math.max(...counts, 1)
  return counts
    .map((count) => HEIGHTS.charAt(Math.ceil((count / most) * (HEIGHTS.length - 1))))
    .join('')
}

/** The same line with this node and its peers. Where they share a column, this node is shown. */
export function nodesOnRing(own: number, peers: readonly number[], columns: number): string {
  const line = new Array<string>(columns).fill('─')

  for (const position of peers) {
    line[columnOf(position, columns)] = '●'
  }

  line[columnOf(own, columns)] = '◆'
  return line.join('')
}

function columnOf(position: number, columns: number): number {
  return Math.min(Math.floor(position * columns), columns - 1)
}
