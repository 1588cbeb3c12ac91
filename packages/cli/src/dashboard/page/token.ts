const NAME = 'waggle-token'

/**
 * Moves the token from the address, where it could be seen and shared, to the tab's own memory. The part after `#`
 * is never sent.
 */
export function takeToken(): string | undefined {
  const given = decoded(location.hash.slice(1))

  if (given !== '') {
    keepToken(given)
    history.replaceState(null, '', location.pathname)
  }

  return sessionStorage.getItem(NAME) ?? undefined
}

export function keepToken(token: string): void {
  sessionStorage.setItem(NAME, token)
}

/** Decodes the part after `#`. A part that was damaged on its way, as by a cut-off `%`, is no token. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}
