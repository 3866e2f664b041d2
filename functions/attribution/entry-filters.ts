import { z } from 'zod';
import { providerName } from '../providers/provider-name.ts';
import { credentialId, userId } from '../shared/identifier-fields.ts';
import type { AttributionQuery } from './attribution-store.ts';
import type { ListedEntry } from './listed-entry.ts';

/** What callers put into `x-cordon-` headers and into claims: short plain text. */
const shortText = z
  .string()
  .min(1)
  .max(512)
  .regex(/^[^\p{C}]+$/u, 'must be short plain text');

/** Query parameters that entries are chosen by; all that are given must fit. */
export const entryFilters = z.strictObject({
  user: userId.optional(),
  agent: shortText.optional(),
  session: shortText.optional(),
  credential: credentialId.optional(),
  provider: providerName.optional(),
  operation: shortText.optional(),
  outcome: z.enum(['succeeded', 'refused', 'failed', 'aborted', 'cut', 'pending', 'unknown']).optional(),
  // What the caller said of itself
  workflowRun: shortText.optional(),
  tool: shortText.optional(),
  useCase: shortText.optional(),
  environment: shortText.optional(),
  dataClass: shortText.optional(),
  team: shortText.optional(),
});
export type EntryFilters = z.infer<typeof entryFilters>;

/** Headers are recorded under their names without `x-cordon-`. */
const assertedNames = {
  workflowRun: 'workflow-run',
  tool: 'tool',
  useCase: 'use-case',
  environment: 'environment',
  dataClass: 'data-class',
  team: 'team',
} as const;

/** The index that leaves the least over, by what was asked for. */
export function indexFor(filters: EntryFilters): AttributionQuery['of'] {
  if (filters.session !== undefined) return { sessionId: filters.session };
  if (filters.user !== undefined) return { userId: filters.user };
  if (filters.credential !== undefined) return { credentialId: filters.credential };
  return undefined;
}

export function isWanted(entry: ListedEntry, filters: EntryFilters): boolean {
  const fits = (wanted: string | undefined, found: string | undefined): boolean => wanted === undefined || wanted === found;
  return (
    fits(filters.user, entry.userId) &&
    fits(filters.agent, entry.agentId) &&
    fits(filters.session, entry.sessionId) &&
    fits(filters.credential, entry.credentialId) &&
    fits(filters.provider, entry.provider) &&
    fits(filters.operation, entry.operation) &&
    fits(filters.outcome, entry.outcome) &&
    (['workflowRun', 'tool', 'useCase', 'environment', 'dataClass', 'team'] as const).every((name) =>
      fits(filters[name], entry.asserted[assertedNames[name]]),
    )
  );
}
