/** The activity with a peer. */
export interface Activity {
  /** Whether a request, a response or a subscription is in flight. */
  readonly isBusy: boolean

  /** Time at which bytes last moved, in ms of the process's clock. */
  readonly usedAtMs: number
}

/** No activity, now or ever. */
export const NO_ACTIVITY: Activity = { isBusy: false, usedAtMs: Number.NEGATIVE_INFINITY }

/** Combines the activity of several protocols. */
export function allActivity(activities: Iterable<Activity>): Activity {
  let { isBusy, usedAtMs } = NO_ACTIVITY

  for (const activity of activities) {
    isBusy ||= activity.isBusy
    usedAtMs = Math.max(usedAtMs, activity.usedAtMs)
  }

  return { isBusy, usedAtMs }
}
