const secondMs = 1000;
const minuteMs = 60 * secondMs;

/** A key that the provider is not shown to refuse this long after it was revoked is said to be unconfirmed, whatever the reason. */
export const confirmedWithinMs = 15 * minuteMs;
/** What is unconfirmed is said again this often. */
export const reminderMs = 24 * 60 * minuteMs;
/**
 * A worker's hold has ended, and its last request may be under way still: a provider that makes keys in the background takes up to a minute. Until then its list of keys
 * is not the last word.
 */
export const lateRequestMs = 2 * minuteMs;
/**
 * No function that makes keys runs longer. What somebody holds at the moment of the revocation is taken to be at work for so long, whatever the clocks of the two say: to a
 * clock that is ahead, a hold seems over while a key is being made under it.
 */
export const longestRunMs = 2 * minuteMs;
/** A version that the registry does not know and that was stored as late as this before the revocation is of a run that it cut short. Older ones without a label were shown dead. */
export const cutShortMs = 60 * minuteMs;
