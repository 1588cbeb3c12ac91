import { Text, type TextProps } from 'ink'
import { createContext, type ReactElement, type ReactNode, useContext } from 'react'
import type { Tone } from '../text/paint.ts'

/** Whether colours are on. */
export const Colourful: React.Context<boolean> = createContext(true)

const STYLES: Readonly<Record<Tone, TextProps>> = {
  good: { color: 'green' },
  bad: { color: 'red' },
  faint: { color: 'gray' },
  name: { color: 'cyan' },
  strong: { bold: true }
}

interface StyledProps {
  readonly tone?: Tone | undefined
  readonly children?: ReactNode
}

/** One line of text, truncated to the available width. */
export function Styled({ tone, children }: StyledProps): ReactElement {
  const isColourful = useContext(Colourful)
  return (
    <Text wrap="truncate" {...(isColourful && tone !== undefined && STYLES[tone])}>
      {children}
    </Text>
  )
}
