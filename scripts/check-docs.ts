// Checks that the examples in the documents compile, that the links between them lead somewhere, and that the tables of
// options say what the code does. With --write it writes these tables first.
import { globSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { exampleErrors } from './docs/examples.ts'
import { linkErrors } from './docs/links.ts'
import { tableErrors, writeTables } from './docs/option-tables.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const documents = globSync(
  ['*.md', '.changeset/*.md', 'docs/**/*.md', 'examples/*.md', 'packages/*/*.md'],
  { cwd: root }
).sort()

if (process.argv.includes('--write')) {
  writeTables(root)
}

const errors = [
  ...tableErrors(root),
  ...exampleErrors(root, documents),
  ...linkErrors(root, documents)
]

for (const error of errors) {
  console.error(error)
}

if (errors.length > 0) {
  console.error(`Errors in the documents: ${errors.length}.`)
  process.exitCode = 1
}
