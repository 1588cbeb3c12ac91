import { fileURLToPath } from 'node:url'
import { bundleLibrary } from '../../../scripts/bundle-library.ts'

await bundleLibrary({
  folder: fileURLToPath(new URL('..', import.meta.url)),
  entries: {
    connection: 'src/entries/connection.ts',
    handles: 'src/entries/handles.ts',
    index: 'src/index.ts',
    lookup: 'src/entries/lookup.ts',
    testnet: 'src/testnet.ts'
  },
  // One has binaries. The errors and dictionaries of the other are the same for all that use it.
  external: ['classic-level', '@waggle/record'],
  parts: [
    ['layers', 'src/entries/connection.ts'],
    ['parts', 'src/entries/lookup.ts'],
    ['dht', 'src/index.ts']
  ]
})
