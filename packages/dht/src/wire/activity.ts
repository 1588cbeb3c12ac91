/** What is under way with a peer. */
export interface Activity {
  /** Whether anything is: a request, a response, a subscription. */
  readonly isBusy: boolean

  /** When bytes moved last, in ms of the process's clock. */
  readonly usedAtMs: number
}

/** Nothing is, and nothing ever was. */
export const NO_ACTIVITY: Activity = { isBusy: false, usedAtMs: Number.NEGATIVE_INFINITY }

/** What is under way by several protocols together. */
export function allActivity(activities: Iterable<Activity>): Activity {
  let { isBusy, usedAtMs } = NO_ACTIVITY

  for (const activity of activities) {
    isBusy ||= activity.isBusy
    usedAtMs = Math.max(usedAtMs, activity.usedAtMs)
  }

  return { isBusy, usedAtMs }
}
