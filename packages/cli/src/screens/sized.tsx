import { useWindowSize, type WindowSize } from 'ink'
import type { ReactElement } from 'react'

/** Renders contents that depend on the size of the terminal, again after each resize. */
export function Sized({
  children
}: {
  children: (size: WindowSize) => ReactElement
}): ReactElement {
  return children(useWindowSize())
}
