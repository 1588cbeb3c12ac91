/**
 * Who waits for something, and whether they still do. What an `AbortSignal` is for; but there is one
 * of these for each request, and nobody needs to be told, only to ask.
 */
export interface Wanted {
  readonly isWanted: boolean
}
