/** Bars of rising height. */
const HEIGHTS = ' ▁▂▃▄▅▆▇█'

/** Draws the ring of keys as a line that starts at 0, with the number of positions in each column. */
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

/** Draws the same line with this node and its peers. This node hides a peer in the same column. */
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
