import type { JSX } from 'preact'
import { keepToken } from './token.ts'

interface TokenFormProps {
  readonly isRefused: boolean
  readonly onToken: (token: string) => void
}

/** Asks for the token that the command has printed. */
export function TokenForm({ isRefused, onToken }: TokenFormProps): JSX.Element {
  return (
    <main class="gate">
      <h1>
        <img src="/icon.svg" alt="" width="28" height="28" /> Waggle
      </h1>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          const token = String(new FormData(event.currentTarget).get('token')).trim()
          keepToken(token)
          onToken(token)
        }}
      >
        <label>
          <span class="label">Token</span>
          <input name="token" type="password" required autocomplete="off" />
        </label>
        <button type="submit">Open</button>
      </form>
      <p class={isRefused ? 'error' : undefined} role="status">
        {isRefused
          ? 'The token is wrong. The node may have been started again.'
          : 'The command that serves this page has printed its address with the token, after #.'}
      </p>
    </main>
  )
}
