// Makes bundles for Node start sooner and take less memory.
import assert from 'node:assert/strict'
import { isBuiltin } from 'node:module'
import type { Plugin, PluginContext } from 'rolldown'

interface Replacement {
  /** The package, and the end of its modules' paths. */
  readonly of: string
  readonly module: string
  readonly code: string
}

/** Modules that load what a node doesn't use. */
const REPLACEMENTS: readonly Replacement[] = [
  {
    // It answers worker threads and processes of a cluster that ask for locks. libp2p's peer store, the package's only
    // user, never asks other processes.
    of: 'mortice',
    module: 'dist/src/node.js',
    code: `export { default } from './react-native.js'`
  },
  {
    // kad-dht makes random keys of it, at chosen distances, to fill its routing table, which the node's own replaces.
    // It is a list of 65,536 numbers. Any other number makes a random key, too.
    of: '@libp2p/kad-dht',
    module: 'dist/src/routing-table/generated-prefix-list.js',
    code: `export default new Proxy([], { get: () => Math.floor(Math.random() * 2 ** 32) })`
  },
  {
    // It compiles WebAssembly as it loads, and noise takes OpenSSL for the same.
    of: '@chainsafe/as-sha256',
    module: 'lib/index.js',
    code: `import { createHash } from 'node:crypto'
export const digest = (bytes) => createHash('sha256').update(bytes).digest()`
  },
  {
    // It also exports the bare stream cipher, which has an instance, and half a megabyte, of its own. And it compiles
    // WebAssembly as it loads, which most programs never call: see noise-crypto.ts.
    of: '@chainsafe/as-chacha20poly1305',
    module: 'lib/src/index.js',
    code: `let cipher
function loaded() {
  if (cipher === undefined) {
    const { ChaCha20Poly1305 } = require('./chacha20poly1305')
    cipher = new ChaCha20Poly1305(require('./wasm').newInstance())
  }
  return cipher
}
exports.newInstance = () => {}
exports.ChaCha20Poly1305 = class {
  seal(key, nonce, text, ad, to) { return loaded().seal(key, nonce, text, ad, to) }
  open(key, nonce, sealed, ad, to) { return loaded().open(key, nonce, sealed, ad, to) }
}`
  }
]

/** Replaces modules that load what a node doesn't use. Fails if one is gone: its package then loads something else. */
export function leanModules(): Plugin {
  const loaded = new Set<string>()
  const replaced = new Set<string>()
  return {
    name: 'lean-modules',
    transform(_, id) {
      const found = REPLACEMENTS.find(({ of }) => id.includes(`/node_modules/${of}/`))

      if (found === undefined) {
        return null
      }

      const { of, module } = found
      loaded.add(of)

      if (!id.endsWith(module)) {
        return null
      }

      replaced.add(of)
      return { code: found.code }
    },
    buildEnd() {
      assert.deepEqual([...replaced].sort(), [...loaded].sort(), 'modules to replace are gone')
    }
  }
}

/**
 * Takes Node's own modules from the process. An `import` reads all properties of such a module, and some of them load
 * further modules: those of `node:process` open standard input and output.
 */
export function builtinsByCall(): Plugin {
  return {
    name: 'builtins-by-call',
    renderChunk(code) {
      const parts: string[] = []
      let end = 0

      for (const node of this.parse(code).body) {
        if (node.type === 'ImportDeclaration' && isBuiltin(node.source.value)) {
          parts.push(code.slice(end, node.start), declarationOf(node))
          end = node.end
        }
      }

      return parts.join('') + code.slice(end)
    }
  }
}

type Import = Extract<
  ReturnType<PluginContext['parse']>['body'][number],
  { type: 'ImportDeclaration' }
>
type Named = Extract<Import['specifiers'][number], { type: 'ImportSpecifier' }>['imported']

/** Returns the declaration of the names that an import of one of Node's modules has. */
function declarationOf({ source, specifiers }: Import): string {
  const module = `globalThis.process.getBuiltinModule(${JSON.stringify(source.value)})`
  const whole = specifiers.filter(({ type }) => type !== 'ImportSpecifier')
  const named = specifiers.filter((each) => each.type === 'ImportSpecifier')
  const names = named.map(({ imported, local }) => `${nameIn(imported)}: ${local.name}`)
  const patterns = [
    ...whole.map(({ local }) => local.name),
    ...(names.length > 0 ? [`{ ${names.join(', ')} }`] : [])
  ]
  return patterns.map((pattern) => `const ${pattern} = ${module};`).join(' ')
}

function nameIn(imported: Named): string {
  return imported.type === 'Identifier' ? imported.name : JSON.stringify(imported.value)
}
