import { render } from 'preact'
import { Page } from './page.tsx'
import { takeToken } from './token.ts'

const root = document.getElementById('page')

if (root !== null) {
  render(<Page token={takeToken()} />, root)
}
