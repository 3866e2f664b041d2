import { z } from 'zod';
import { arn } from '../../shared/worker-env.ts';

/** What the audit of policies (`audit-policies.lambda.ts`) is configured with. */
export const auditEnv = z.object({
  /** The stack that is compared. */
  STACK_NAME: z.string().min(1),
  /** It names partition, Region and account. */
  TENANT_KEY_ARN: arn,
  REGISTRY_TABLE_ARN: arn,
  ATTRIBUTION_TABLE_ARN: arn,
  EVENT_BUS_NAME: z.string().min(1),
  QUEUE_URL: z.string().min(1),
  DEAD_LETTER_QUEUE_URL: z.string().min(1),
  /** Deliveries of one request before it is given up. */
  MAX_RECEIVE_COUNT: z.coerce.number().int().min(1).max(100),
});

/** The same as plain strings: what the stack has to set. */
export type AuditEnvVariables = Readonly<Record<keyof z.input<typeof auditEnv>, string>>;
