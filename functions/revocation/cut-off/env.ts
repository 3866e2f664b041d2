import { z } from 'zod';
import { arn } from '../../shared/worker-env.ts';

/** What the writer of the cut-off policy is configured with. */
export const cutOffEnv = z.object({
  CUT_OFFS_TABLE: z.string().min(1),
  REVOKED_POLICY_ARN: arn,
});

/** The same as plain strings: what the stack has to set. */
export type CutOffEnvVariables = Readonly<Record<keyof z.input<typeof cutOffEnv>, string>>;
