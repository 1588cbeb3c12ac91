import { spawnSync } from 'node:child_process'
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fences } from './markdown.ts'

/** One block of TypeScript, with its place in a document. */
interface Example {
  file: string
  /** The line of its first line of code, counted from one. */
  line: number
  code: string
}

const FOLDER = '.docs-check'

/** Compiler options for examples: those of an application, which emits no declarations. */
const TSCONFIG = {
  extends: '../tsconfig.base.json',
  compilerOptions: {
    noEmit: true,
    composite: false,
    declaration: false,
    declarationMap: false,
    isolatedDeclarations: false,
    rewriteRelativeImportExtensions: false,
    moduleDetection: 'force'
  },
  include: ['*.ts']
}

/**
 * Compiles every `ts` block of the documents, and of the doc comments in the packages' source, each as a
 * module of its own. Returns the compiler's errors with the places of the blocks.
 */
export function exampleErrors(root: string, documents: readonly string[]): string[] {
  const sources = globSync('packages/*/src/**/*.ts', { cwd: root }).sort()
  const examples = [
    ...documents.flatMap((file) => examplesIn(file, read(root, file))),
    ...sources.flatMap((file) => examplesIn(file, docComments(read(root, file))))
  ]
  const modules = new Map(examples.map((example) => [moduleName(example), example]))
  writeModules(join(root, FOLDER), modules)

  return modules.size === 0 ? [] : compilerErrors(root, modules)
}

function examplesIn(file: string, text: string): Example[] {
  return fences(text)
    .filter(({ language }) => language === 'ts' || language === 'typescript')
    .map(({ line, code }) => ({ file, line, code }))
}

/** Blanks out everything but the text of the doc comments, line for line. */
function docComments(source: string): string {
  let isInside = false

  return source
    .split('\n')
    .map((line) => {
      isInside ||= /^\s*\/\*\*/.test(line)
      const text = isInside ? line.replace(/^\s*(\/\*\*|\*(?!\/)) ?/, '').replace(/\*\/.*/, '') : ''
      isInside &&= !line.includes('*/')

      return text
    })
    .join('\n')
}

function moduleName({ file, line }: Example): string {
  return `${file.replace(/\W+/g, '-')}-line-${line}.ts`
}

function writeModules(folder: string, modules: ReadonlyMap<string, Example>): void {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG, null, 2))

  for (const [name, { code }] of modules) {
    writeFileSync(join(folder, name), code)
  }
}

function compilerErrors(root: string, modules: ReadonlyMap<string, Example>): string[] {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, '--pretty', 'false'], {
    cwd: join(root, FOLDER),
    encoding: 'utf8'
  })

  return status === 0
    ? []
    : `${stdout}${stderr}`
        .trim()
        .split('\n')
        .map((error) => placed(error, modules))
}

/** Turns `module.ts(2,7): error …` into `README.md:31: error …`. */
function placed(error: string, modules: ReadonlyMap<string, Example>): string {
  const [place, name, line] = /^([^(]+)\((\d+),\d+\)/.exec(error) ?? []
  const example = modules.get(name ?? '')

  return place === undefined || example === undefined
    ? error
    : `${example.file}:${example.line + Number(line) - 1}${error.slice(place.length)}`
}

function read(root: string, file: string): string {
  return readFileSync(join(root, file), 'utf8')
}
