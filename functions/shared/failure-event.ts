import { z } from 'zod';
import { tenantId } from './identifier-fields.ts';

/** Why something did not happen, and what is left over of it. `tenantId` is missing when the event named none that could be one. */
export const failure = z.strictObject({
  version: z.literal(1),
  tenantId: tenantId.optional(),
  /** The event that failed, so that whoever sent it can tell which. */
  event: z.strictObject({ id: z.string().max(128).optional(), detailType: z.string().max(128).optional() }),
  reason: z.strictObject({ code: z.string(), message: z.string() }),
  /** What exists outside and could not be taken back, one sentence each; empty when nothing is left. */
  left: z.array(z.string()),
});
export type Failure = z.infer<typeof failure>;

/** What every consumer of events may have to say. */
export const commonFailures = {
  /** An event that is none of the known ones, or comes from somewhere it may not come from. */
  EventHandlingFailed: failure,
  /** IAM refused what a tenant's own session should have been allowed, or rightly refused what a bug asked for. */
  IsolationViolationDetected: failure,
} as const;
export type CommonFailureType = keyof typeof commonFailures;
