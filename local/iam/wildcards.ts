/**
 * Wildcards without regular expressions. A glob is a string in which two control characters stand for `*` and `?`: a literal asterisk (from
 * `${*}`, or from the value of a policy variable) can then never be taken for a wildcard.
 */
const anyRun = '\u0000';
const anyOne = '\u0001';

/** Turns policy text into a glob: `*` is any run of characters, `?` exactly one. */
export function globPattern(text: string): string {
  return text.replaceAll('*', anyRun).replaceAll('?', anyOne);
}

/** Whether text could be mistaken for wildcards of a glob; such text must never become part of one. */
export function holdsWildcardMarks(text: string): boolean {
  return text.includes(anyRun) || text.includes(anyOne);
}

/** Whether the whole text matches the glob. Walks both once, and falls back only to the latest run: at most length × length steps, nothing allocated. */
export function globMatches(glob: string, text: string): boolean {
  let g = 0;
  let t = 0;
  let runAt = -1;
  let runEnd = 0;
  while (t < text.length) {
    const mark = glob[g];
    if (mark === anyRun) {
      runAt = g;
      runEnd = t;
      g += 1;
    } else if (mark !== undefined && (mark === anyOne || mark === text[t])) {
      g += 1;
      t += 1;
    } else if (runAt >= 0) {
      runEnd += 1;
      t = runEnd;
      g = runAt + 1;
    } else return false;
  }
  while (glob[g] === anyRun) g += 1;
  return g === glob.length;
}

/** Compiles a glob that never changes; the usual forms (exact, `*`, `prefix*`) become a plain comparison. */
export function globMatcher(glob: string): (text: string) => boolean {
  if (!holdsWildcardMarks(glob)) return (text) => text === glob;
  if (glob === anyRun) return () => true;
  const head = glob.slice(0, -1);
  if (glob.endsWith(anyRun) && !holdsWildcardMarks(head)) return (text) => text.startsWith(head);
  return (text) => globMatches(glob, text);
}
