/** One of each kind of secret: a key that is forwarded, one of another shape, and the connection string of a database. */
export const decoyPlans = [
  { stem: 'openai-backup', provider: 'openai' },
  { stem: 'anthropic-batch', provider: 'anthropic' },
  { stem: 'database-replica', provider: 'postgres' },
] as const;
export const decoyTail = 8;
const shape = new RegExp(`^(?:${decoyPlans.map(({ stem }) => stem).join('|')})-[a-z2-7]{${decoyTail}}$`);

/** Whether a name may be a decoy's at all. Without the key nobody can say more, so that most names never ask for it. */
export function looksLikeDecoy(name: string): boolean {
  return shape.test(name);
}
