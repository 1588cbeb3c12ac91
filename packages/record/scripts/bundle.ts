import { fileURLToPath } from 'node:url'
import { bundleLibrary } from '../../../scripts/bundle-library.ts'

await bundleLibrary({
  folder: fileURLToPath(new URL('..', import.meta.url)),
  entries: { index: 'src/index.ts', replica: 'src/replica.ts' }
})
