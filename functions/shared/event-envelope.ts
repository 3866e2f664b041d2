import { z } from 'zod';

/** Events of the platform that runs Cordon: the only ones it acts on. */
export const platformSource = 'cordon.platform';
/** Events Cordon itself publishes. */
export const cordonSource = 'cordon';

/**
 * What EventBridge delivers to a target. Unknown members are dropped, not refused: AWS adds some over time.
 * Source: EventBridge User Guide, "AWS service event metadata" (version, id, detail-type, source, account, time, region, resources, detail).
 */
export const eventEnvelope = z.object({
  version: z.literal('0'),
  id: z.string().min(1).max(128),
  'detail-type': z.string().min(1).max(128),
  source: z.string().min(1).max(256),
  account: z.string().regex(/^\d{12}$/),
  time: z.iso.datetime(),
  region: z.string().max(64),
  detail: z.unknown().optional(),
});
