// Removes the build in the current folder, so that a package contains no file whose source is gone.
import { rmSync } from 'node:fs'

rmSync('dist', { recursive: true, force: true })
