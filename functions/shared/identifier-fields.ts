import { z } from 'zod';
import {
  credentialIdPattern,
  isCredentialId,
  isTenantId,
  isUserId,
  reservedTenantIds,
  tenantIdPattern,
  userIdPattern,
} from './identifiers.ts';

/** Checked and branded in one place; the schema keeps the pattern, so that the JSON Schema says it too. */
export const tenantId = z
  .string()
  .regex(tenantIdPattern, `must match ${tenantIdPattern.source}`)
  .meta({ not: { enum: [...reservedTenantIds] } })
  .transform((text, context) => {
    if (isTenantId(text)) return text;
    context.addIssue({ code: 'custom', message: 'is a reserved name' });
    return z.NEVER;
  });

export const credentialId = z
  .string()
  .regex(credentialIdPattern, `must match ${credentialIdPattern.source}`)
  .transform((text, context) => {
    if (isCredentialId(text)) return text;
    context.addIssue({ code: 'custom', message: 'is not a credential ID' });
    return z.NEVER;
  });

export const userId = z
  .string()
  .regex(userIdPattern, `must match ${userIdPattern.source}`)
  .transform((text, context) => {
    if (isUserId(text)) return text;
    context.addIssue({ code: 'custom', message: 'is not a user ID' });
    return z.NEVER;
  });
