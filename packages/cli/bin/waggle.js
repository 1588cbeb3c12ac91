#!/usr/bin/env node
// Plain JavaScript, so that it runs first: what is compiled after the cache is there is compiled once. Nodes that
// are too old read it, too, and say so: what they don't have must not be imported by name.
import module from 'node:module'
import process from 'node:process'

const OLDEST = [22, 12]
const [major, minor] = process.versions.node.split('.').map(Number)

if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
  process.stderr.write(
    `waggle: needs Node ${OLDEST.join('.')} or newer, and this is ${process.versions.node}\n`
  )
  process.exit(1)
}

module.enableCompileCache?.()
await import('../dist/main.js')
