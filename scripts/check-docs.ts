// Checks that the examples in the documents compile, and that the links between documents resolve.
import { globSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { exampleErrors } from './docs/examples.ts'
import { linkErrors } from './docs/links.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const documents = globSync(
  ['*.md', '.changeset/*.md', 'docs/**/*.md', 'examples/*.md', 'packages/*/*.md'],
  { cwd: root }
).sort()
const errors = [...exampleErrors(root, documents), ...linkErrors(root, documents)]

for (const error of errors) {
  console.error(error)
}

if (errors.length > 0) {
  console.error(`Errors in the documents: ${errors.length}.`)
  process.exitCode = 1
}
