/** What a process can be asked for, by name. Arguments and results travel by structured clone. */
export type Calls<C> = { readonly [Name in keyof C]: (argument: never) => unknown }

export type ArgumentOf<F> = F extends (argument: infer A) => unknown ? A : never
export type ResultOf<F> = F extends (argument: never) => infer R ? Awaited<R> : never

export interface Call {
  readonly id: number
  readonly name: string
  readonly argument: unknown
}

export type Answer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string }
