/** Persistence that needs a file system. Browsers use files.browser.ts instead. */
export { identityIn, openDataDir, prepareDataDir } from './data-dir.ts'
export { identityAt } from './identity.ts'
