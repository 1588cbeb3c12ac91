/** A tag in a text, as in `[owner:…]`: where it begins and ends, and what it holds. */
export interface Tag {
  readonly start: number
  readonly end: number
  readonly content: string
}

/**
 * Lists the tags with a head in a text, as Python's pattern `head([^\n]+?)\]` finds them, in one pass: the pattern itself
 * reads the rest of the text again for each head without an end.
 */
export function* tagsIn(text: string, head: string): Generator<Tag, void> {
  let close = -1
  let line = -1

  for (let start = text.indexOf(head); start >= 0; ) {
    const from = start + head.length
    // The content has one character at least.
    close = close > from ? close : text.indexOf(']', from + 1)
    line = line >= from ? line : indexOrEnd(text, '\n', from)

    if (close < 0) {
      return
    }

    if (close < line) {
      yield { start, end: close + 1, content: text.slice(from, close) }
    }

    start = text.indexOf(head, Math.min(line, close) + 1)
  }
}

/** Removes the tags with a head from a text. */
export function withoutTags(text: string, head: string): string {
  const parts: string[] = []
  let at = 0

  for (const { start, end } of tagsIn(text, head)) {
    parts.push(text.slice(at, start))
    at = end
  }

  return at === 0 ? text : parts.join('') + text.slice(at)
}

function indexOrEnd(text: string, part: string, from: number): number {
  const index = text.indexOf(part, from)
  return index < 0 ? text.length : index
}
