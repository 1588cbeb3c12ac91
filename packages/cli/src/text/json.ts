/** What JSON can say. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [name: string]: Json }

/**
 * One line that is safe in a terminal, whoever wrote the value: JSON escapes the control characters
 * of ASCII, and this the others that a terminal obeys or that change the order of the text.
 */
export function line(json: Json): string {
  return JSON.stringify(json).replace(
    /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  )
}
