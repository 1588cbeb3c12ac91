/** Everything that needs a file system. Browsers get files.browser.ts instead. */
export { identityIn, openDataDir, prepareDataDir } from './data-dir.ts'
export { identityAt } from './identity.ts'
