#!/usr/bin/env node
// Plain JavaScript, so that it runs first: what is compiled after this line is compiled once.
import { enableCompileCache } from 'node:module'

enableCompileCache?.()
await import('../dist/main.js')
