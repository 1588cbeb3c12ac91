/** A response that refuses a request: its status, and a stable code for programs. */
export class HttpError extends Error {
  static override readonly name = 'HttpError'
  override readonly name = 'HttpError'
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

/** Statuses of the library's errors, by their names. Callers may retry after 503 and 504. */
const STATUSES: Readonly<Record<string, readonly [status: number, code: string]>> = {
  UsageError: [400, 'bad-request'],
  TypeError: [400, 'bad-request'],
  InvalidKeyError: [400, 'bad-request'],
  InvalidExpirationError: [400, 'bad-request'],
  RecordTooLargeError: [413, 'too-large'],
  ValidationError: [422, 'invalid'],
  UnreachableError: [503, 'unreachable'],
  BusyError: [503, 'busy'],
  TimeoutError: [504, 'timeout']
}

/** Statuses of writes that no replica accepted, by their outcomes. */
const OUTCOMES: Readonly<Record<string, number>> = {
  full: 507,
  refused: 403,
  busy: 503,
  unreachable: 503
}

/** Chooses the response to an error of a call. */
export function httpErrorOf(error: Error & { readonly outcome?: unknown }): HttpError {
  if (error instanceof HttpError) {
    return error
  }

  const { name, message, outcome } = error

  if (name === 'NotStoredError' && typeof outcome === 'string') {
    return new HttpError(OUTCOMES[outcome] ?? 503, outcome, message)
  }

  const [status, code] = STATUSES[name] ?? [500, 'failed']
  return new HttpError(status, code, message)
}
