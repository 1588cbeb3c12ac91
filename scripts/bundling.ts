// The parts that the bundles of all packages share.
import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'
import type { CodeSplittingGroup, OutputOptions } from 'rolldown'

const OUR_LICENCE = 'MIT, see LICENSE'

/** A folder with bundled files. */
export class BundleFolder {
  readonly #folder: string
  readonly #names = new Set<string>()

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Replaces a file in one step, because a program that uses it may be running or starting. */
  write(name: string, content: string | Uint8Array): void {
    const file = join(this.#folder, name)
    const unfinished = `${file}.${process.pid}`
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(unfinished, content)
    renameSync(unfinished, file)
    this.#names.add(name)
  }

  /** Removes the scripts of earlier bundles. */
  removeOlder(): void {
    for (const name of existsSync(this.#folder) ? readdirSync(this.#folder) : []) {
      if (name.endsWith('.js') && !this.#names.has(name)) {
        rmSync(join(this.#folder, name), { force: true })
      }
    }
  }
}

/**
 * Escapes characters in strings and expressions: V8 takes two bytes for each character of a file in which one has no
 * place in Latin-1.
 */
export function inASCII(code: string): string {
  return code.replace(/\\?[^\0-\x7f]/g, (text) => {
    // An escape after a backslash would mean a backslash.
    assert.equal(text.length, 1, `a character must not follow a backslash: ${text}`)
    return `\\u${text.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

/** Lists the packages whose modules a bundle contains, with their licences. */
export function licences(modules: readonly string[]): string {
  const folders = new Set(modules.flatMap((id) => packageFolder(id) ?? []))
  const texts = [...folders].map(licenceOf).sort()
  return `The files in this folder contain the following packages.\n\n${texts.join(`\n${'-'.repeat(80)}\n`)}`
}

/** Finds the package folder of a dependency's module; undefined for own modules and the bundler's. */
function packageFolder(id: string): string | undefined {
  const [, folder] = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id) ?? []
  return folder
}

function licenceOf(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|notice)/i.test(file))
  const texts = files.map((file) => readFileSync(join(folder, file), 'utf8').trim())
  return [`${name} ${version}: ${license ?? OUR_LICENCE}`, ...texts].join('\n\n')
}

/** A file of a bundle, and the module that loads all of its modules. */
export type Part = readonly [name: string, entry: string]

/**
 * Gathers modules in few files, as finding, reading and compiling a file takes a millisecond. A module comes into the
 * first part that loads it. Modules that are only loaded on demand are in other files.
 */
export function inParts(parts: readonly Part[]): NonNullable<OutputOptions['codeSplitting']> {
  return { groups: parts.map(groupOf) }
}

function groupOf([name, entry]: Part): CodeSplittingGroup {
  let modules: ReadonlySet<string> | undefined
  return {
    debugName: name,
    name(id, bundle) {
      modules ??= loadedBy(entry, (module) => bundle.getModuleInfo(module)?.importedIds ?? [])
      return modules.has(id) ? name : null
    }
  }
}

/** Finds the modules that loading one loads, its own one included. */
function loadedBy(entry: string, importsOf: (module: string) => readonly string[]): Set<string> {
  const found = new Set([entry])

  for (const module of found) {
    for (const imported of importsOf(module)) {
      found.add(imported)
    }
  }

  return found
}
