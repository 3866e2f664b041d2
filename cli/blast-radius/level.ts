/** How many tenants are concerned: none; one; those whose callers come by while it lasts; or every one. */
export const levels = ['none', 'one', 'callers', 'all'] as const;
export type Level = (typeof levels)[number];

export function widest(of: readonly Level[]): Level {
  return of.reduce((most, one) => (levels.indexOf(one) > levels.indexOf(most) ? one : most), 'none');
}
