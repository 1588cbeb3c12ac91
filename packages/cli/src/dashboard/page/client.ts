/** A response that refuses a request. */
export class RefusedError extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** Requests of the page, each with the token. */
export class Client {
  readonly #token: string

  constructor(token: string) {
    this.#token = token
  }

  /** @throws RefusedError */
  async json<T>(path: string, init: RequestInit = {}): Promise<T> {
    const response = await this.#fetch(path, init)
    return response.json()
  }

  /** Yields server-sent events until the stream ends. */
  async *events<T>(path: string, signal: AbortSignal): AsyncGenerator<T, void, undefined> {
    const { body } = await this.#fetch(path, { signal })
    const reader = body?.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''

    for (let part = await reader?.read(); part?.value !== undefined; part = await reader?.read()) {
      const events = `${text}${part.value}`.split('\n\n')
      text = events.pop() ?? ''

      for (const event of events) {
        if (event.startsWith('data: ')) {
          yield JSON.parse(event.slice('data: '.length))
        }
      }
    }
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    const headers = { ...init.headers, authorization: `Bearer ${this.#token}` }
    const response = await fetch(path, { ...init, headers })

    if (!response.ok) {
      const { error } = await response.json().catch(() => ({ error: response.statusText }))
      throw new RefusedError(response.status, error)
    }

    return response
  }
}
