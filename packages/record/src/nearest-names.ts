/** Finds the names of which a word may be a misspelling, the nearest first. */
export function nearestNames(word: string, names: readonly string[]): string[] {
  return names
    .map((name) => ({ name, edits: editsBetween(word, name) }))
    .filter(({ name, edits }) => edits <= allowedEdits(Math.max(word.length, name.length)))
    .sort((a, b) => a.edits - b.edits)
    .map(({ name }) => name)
}

/** Counts the edits that a misspelling of a word may have: one in three letters, two at most. */
function allowedEdits(length: number): number {
  return Math.min(Math.floor(length / 3), 2)
}

/** Counts the letters to insert, delete, replace or swap with their neighbour (optimal string alignment). */
function editsBetween(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, column) => column)]

  for (let i = 1; i <= a.length; i++) {
    const above = rows[i - 1] as number[]
    const row = [i]

    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1]
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row[j] = Math.min(
        (above[j] as number) + 1,
        (row[j - 1] as number) + 1,
        (above[j - 1] as number) + Number(!isSame),
        isSwapped ? (rows[i - 2]?.[j - 2] as number) + 1 : Number.POSITIVE_INFINITY
      )
    }

    rows.push(row)
  }

  return rows[a.length]?.[b.length] as number
}
