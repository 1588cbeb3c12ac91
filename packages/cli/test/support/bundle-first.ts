import { bundle } from '../../scripts/bundle.ts'

/** Bundles the current source, because the tests run the command as users do. */
export async function setup(): Promise<void> {
  await bundle()
}
