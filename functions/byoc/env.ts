import { z } from 'zod';
import { arn, workerEnv } from '../shared/worker-env.ts';

/** What `byoc` (`tend-connection.lambda.ts`) is configured with. Only this function reads it; the stack provides exactly these variables. */
export const byocEnv = z.object({
  ...workerEnv,
  TENANT_WRITER_ROLE_ARN: arn,
  /** The only principal of the platform that customers' roles admit. */
  BYOC_CONNECTOR_ROLE_ARN: arn,
  /** The second principal: a sound role refuses it. */
  BYOC_PROBE_ROLE_ARN: arn,
  PLATFORM_ACCOUNT_ID: z.string().regex(/^\d{12}$/),
  /** The asymmetric key that signs what a verification found. */
  EVIDENCE_KEY_ARN: arn,
  /** Where customers' CloudFormation reads the template. */
  TEMPLATE_BUCKET: z.string().min(1),
});

export type ByocEnv = z.infer<typeof byocEnv>;
/** The same as plain strings: what the stack has to set. */
export type ByocEnvVariables = Readonly<Record<keyof z.input<typeof byocEnv>, string>>;
