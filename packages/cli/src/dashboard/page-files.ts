import { readFile } from 'node:fs/promises'

/** The files of the page, with their content types. The bundle has them in the folder `page` beside it. */
const FILES: Readonly<Record<string, readonly [name: string, type: string]>> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
  '/panels.css': ['panels.css', 'text/css; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/icon.svg': ['icon.svg', 'image/svg+xml']
}

export interface PageFile {
  readonly type: string
  readonly content: Uint8Array
}

/** Reads the files of the page, by their paths. */
export async function pageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const files = Object.entries(FILES).map(async ([path, [name, type]]) => {
    const content = await readFile(new URL(`page/${name}`, import.meta.url))
    return [path, { type, content }] as const
  })
  return new Map(await Promise.all(files))
}
