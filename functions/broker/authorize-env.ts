import { z } from 'zod';
import { trustedIssuers } from '../sessions/env.ts';
import { jsonText } from '../shared/json-text.ts';

/** What the authorizer is configured with: the same issuers as `sessions`. */
export const authorizeEnv = z.object({ TRUSTED_ISSUERS: jsonText(trustedIssuers) });

/** The same as plain strings: what the stack has to set. */
export type AuthorizeEnvVariables = Readonly<Record<keyof z.input<typeof authorizeEnv>, string>>;
