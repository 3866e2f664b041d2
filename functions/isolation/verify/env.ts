import { z } from 'zod';
import { endpointUrl } from '../../shared/endpoint-url.ts';
import { arn, workerEnv } from '../../shared/worker-env.ts';

/** What the function that runs the isolation tests (`verify.lambda.ts`) is configured with. Only this function reads it; the stack provides exactly these variables. */
export const verifyEnv = z.object({
  ...workerEnv,
  SESSIONS_FUNCTION_NAME: z.string().min(1),
  /** Where runs and what they found are kept. */
  ISOLATION_TABLE: z.string().min(1),
  /** The platform's secret with the canaries' clients at the identity provider. */
  IDENTITY_SECRET_ARN: arn,
  /** The stack's own API, with its stage. */
  BROKER_URL: endpointUrl,
  TENANT_KEY_ARN: arn,
  /** The key that signs results. */
  EVIDENCE_KEY_ARN: arn,
  PLATFORM_ACCOUNT_ID: z.string().regex(/^\d{12}$/),
  PLATFORM_PARTITION: z.string().min(1),
  /** What results say of what was tested. */
  STACK_NAME: z.string().min(1),
  CORDON_VERSION: z.string().min(1),
  /** The runtime's own. */
  AWS_REGION: z.string().min(1),
  /** In the local cloud. */
  AWS_ENDPOINT_URL: z.string().optional(),
});

type OfTheRuntime = 'AWS_REGION' | 'AWS_ENDPOINT_URL';
/** The same as plain strings: what the stack has to set. */
export type VerifyEnvVariables = Readonly<Record<Exclude<keyof z.input<typeof verifyEnv>, OfTheRuntime>, string>>;
