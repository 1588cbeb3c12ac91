/** Any JSON value. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [name: string]: Json }

/**
 * Characters that are invisible or reorder others: control, format, surrogate, private use and unassigned ones, line
 * ends, and what is shown as nothing, such as fillers and variation selectors.
 */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu

/**
 * Formats JSON on one line that is safe in a terminal, whatever peer wrote the value. JSON escapes the ASCII
 * control characters; this also escapes other characters that control a terminal, reorder text, or are invisible.
 */
export function line(json: Json): string {
  return JSON.stringify(json).replace(UNSEEN, escaped)
}

/** Formats JSON on several lines in the same way. */
export function lines(json: Json): string {
  const all = JSON.stringify(json, undefined, 1).split('\n')
  return all.map((one) => one.replace(UNSEEN, escaped)).join('\n')
}

/** Escapes a text in the same way, without quotes around it. */
export function visible(text: string): string {
  return line(text).slice(1, -1)
}

/** Escapes a character as JSON does: beyond U+FFFF, as two surrogates. */
function escaped(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
}
