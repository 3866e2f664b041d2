import type { Looked } from './deployed.ts';
import type { Fact } from './fact.ts';

/** Looks at one thing: what cannot be read of it is told with its name, and keeps nobody from looking at the next. */
export async function lookAt(of: string, facts: (of: string) => Promise<readonly Fact[]>): Promise<Looked> {
  try {
    return { facts: await facts(of), unread: [] };
  } catch (error) {
    return { facts: [], unread: [{ of, why: error instanceof Error ? error.message : 'it could not be read' }] };
  }
}
