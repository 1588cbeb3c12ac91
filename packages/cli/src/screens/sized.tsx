import { useWindowSize, type WindowSize } from 'ink'
import type { ReactElement } from 'react'

/** Shows something that depends on how large the terminal is, and again when that changes. */
export function Sized({
  children
}: {
  children: (size: WindowSize) => ReactElement
}): ReactElement {
  return children(useWindowSize())
}
