import { z } from 'zod';
import { arn, consumerEnv } from '../../shared/worker-env.ts';

/** What the audit of policies (`audit-policies.lambda.ts`) is configured with. */
export const auditEnv = z.object({
  /** The stack that is compared. */
  STACK_NAME: z.string().min(1),
  /** It names partition, Region and account. */
  TENANT_KEY_ARN: arn,
  REGISTRY_TABLE_ARN: arn,
  ATTRIBUTION_TABLE_ARN: arn,
  ...consumerEnv,
});

/** The same as plain strings: what the stack has to set. */
export type AuditEnvVariables = Readonly<Record<keyof z.input<typeof auditEnv>, string>>;
