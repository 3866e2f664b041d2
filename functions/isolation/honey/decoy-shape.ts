/** One of each kind of secret: a key that is forwarded, one of another shape, and the connection string of a database. */
export const decoyPlans = [
  { stem: 'openai-backup', provider: 'openai' },
  { stem: 'anthropic-batch', provider: 'anthropic' },
  { stem: 'database-replica', provider: 'postgres' },
] as const;
export const decoyTail = 8;
const shape = `(?:${decoyPlans.map(({ stem }) => stem).join('|')})-[a-z2-7]{${decoyTail}}`;
const whole = new RegExp(`^${shape}$`);
/** Between characters that no ID holds. */
const within = new RegExp(`(?<![a-z0-9-])${shape}(?![a-z0-9-])`, 'g');

/** Whether a name may be a decoy's at all. Without the key nobody can say more, so that most names never ask for it. */
export function looksLikeDecoy(name: string): boolean {
  return whole.test(name);
}

/** More names than any call has room for, in its headers, its path and the body that is looked at: none hides behind others. */
export const maxNamesTold = 2048;

/** Names in these texts that may be decoys', each once. */
export function likelyDecoysIn(texts: readonly string[]): readonly string[] {
  return [...new Set(texts.flatMap((text) => text.match(within) ?? []))];
}
