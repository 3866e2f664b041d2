/** A pattern of policies, `*` for any text and `?` for one character, in upper or lower case, as it matches a whole text. */
export function globOf(pattern: string): RegExp {
  const parts = pattern.split(/([*?])/).map((part) => (part === '*' ? '.*' : part === '?' ? '.' : RegExp.escape(part)));
  return new RegExp(`^${parts.join('')}$`, 'is');
}
