import * as v from 'valibot'

/** Moods that a member can be in. */
export const MOODS = ['here', 'busy', 'away'] as const

export type Mood = (typeof MOODS)[number]

/** A member's own value. Other values under the key are left out. */
export const MemberSchema = v.object({
  name: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(20)),
  mood: v.picklist(MOODS)
})

export type Member = v.InferOutput<typeof MemberSchema>

/** Seconds after which a member that crashed is gone. A browser may delay the timers of hidden tabs by a minute. */
export const PRESENCE_TTL = 90

/** The key of a room. */
export function roomKey(name: string): string {
  return `rooms/${name}`
}
