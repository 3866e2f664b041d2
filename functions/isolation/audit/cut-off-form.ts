import { z } from 'zod';
import { tenantIdPattern, userIdPattern } from '../../shared/identifiers.ts';
import type { PolicyDocument } from './policy-document.ts';

const oneOrMore = (id: RegExp) => z.union([z.string().regex(id), z.array(z.string().regex(id)).min(1)]);

/** Exactly what `revocation/cut-off/revoked-statements.ts` writes: sessions of certain tenants, or of certain of their users, older than an instant. */
const cutOffStatement = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.literal('Deny'),
  NotAction: z.literal('dynamodb:PartiQLInsert'),
  Resource: z.literal('*'),
  Condition: z.strictObject({
    StringEquals: z.strictObject({
      // `NONE`, when nobody is cut off.
      'aws:PrincipalTag/TenantId': z.union([z.literal('NONE'), oneOrMore(tenantIdPattern)]),
      'aws:PrincipalTag/UserId': oneOrMore(userIdPattern).optional(),
    }),
    DateLessThan: z.strictObject({ 'aws:TokenIssueTime': z.iso.datetime() }),
  }),
});
const cutOffPolicy = z.strictObject({ Version: z.literal('2012-10-17'), Statement: z.array(cutOffStatement).min(1) });

/** Whether a document is one that the writer of cut-offs could have written: it refuses, and grants nothing. */
export function isCutOffPolicy(document: PolicyDocument): boolean {
  return cutOffPolicy.safeParse(document).success;
}
