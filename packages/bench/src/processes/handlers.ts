/** What a process answers to, by name. Parameters and answers are plain data: they travel as JSON. */
export type Handlers = Record<string, (params: never) => unknown>

/** What a handler is given. */
export type Params<H extends Handlers, K extends keyof H> = Parameters<H[K]>[0]

/** What a handler answers. */
export type Answer<H extends Handlers, K extends keyof H> = Awaited<ReturnType<H[K]>>

/** One line to a process. */
export interface Question {
  readonly id: number
  readonly name: string
  readonly params: unknown
}

/** One line from a process: it has an error if the handler failed. */
export interface Reply {
  readonly id: number
  readonly result?: unknown
  readonly error?: string
}
