import { bundle } from '../../scripts/bundle.ts'

/** The command is tested as users have it: as the bundle, made of the source that is there now. */
export async function setup(): Promise<void> {
  await bundle()
}
