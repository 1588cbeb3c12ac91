/** Any JSON value. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [name: string]: Json }

/**
 * Formats JSON on one line that is safe in a terminal, whoever wrote the value. JSON escapes the ASCII
 * control characters; this also escapes other characters that control a terminal or reorder text.
 */
export function line(json: Json): string {
  return JSON.stringify(json).replace(
    /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  )
}
