/**
 * Whether two policy documents say the same. AWS gives back what it was given, but may have put a single value in place of a list of one, and order tells nothing.
 * What is taken for different and is not costs a write that changes nothing. Pure.
 */
export function sameDocument(a: unknown, b: unknown): boolean {
  return JSON.stringify(canonical(a)) === JSON.stringify(canonical(b));
}

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) {
    const members = value.map(canonical);
    if (members.length === 1) return members[0];
    return members.every((member) => typeof member === 'string') ? members.sort() : members;
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, member]) => [key, canonical(member)] as const)
      .sort(([x], [y]) => (x < y ? -1 : 1)),
  );
}
