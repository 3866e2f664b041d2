import type { z } from 'zod';
import type { roleDisconnectionRequested } from '../byoc/events.ts';
import type { rotationRequested } from '../rotation/events.ts';

/** What others have to do when something is revoked: they are asked as the platform asks. */
export interface Wishes {
  readonly RoleDisconnectionRequested: z.input<typeof roleDisconnectionRequested>;
  readonly RotationRequested: z.input<typeof rotationRequested>;
}
