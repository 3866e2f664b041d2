/**
 * GetWebIdentityToken: the caller's identity as a JWT that others can verify. The feature counts as enabled in every account. Claims that tell
 * of an organization or of the compute behind the session (`org_id`, `lambda_source_function_arn`, …) are left out: there is none, or it is not
 * known here. Sources: STS API Reference, "GetWebIdentityToken"; IAM User Guide, "Understanding token claims".
 */
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { IdentityStore } from '../core/identity-store.ts';
import type { Need, Operation, Scope } from '../core/service.ts';
import { queryOperation } from './query-operation.ts';
import { passedTags, sessionTag } from './sts-session-tags.ts';
import { signingAlgorithms, type WebIdentityIssuer } from './sts-web-identity-issuer.ts';

const input = z.strictObject({
  Audience: z.array(z.string().min(1).max(1000)).min(1).max(10),
  SigningAlgorithm: z.enum(signingAlgorithms),
  DurationSeconds: z.coerce.number().int().min(60).max(3600).default(300),
  Tags: z.array(sessionTag).max(50).optional(),
});
type WebIdentityInput = z.output<typeof input>;

/** The namespace of AWS's own claims. */
const namespace = 'https://sts.amazonaws.com/';

export function webIdentityOperation(store: IdentityStore, issuer: WebIdentityIssuer): Record<string, Operation> {
  return queryOperation('GetWebIdentityToken', input, needsOf, async (asked, scope) => {
    const { caller } = scope;
    const session = store.sessions.get(caller.accessKeyId);
    if (session !== undefined && scope.clock.now() + asked.DurationSeconds * 1000 > session.expiresAt)
      throw new AwsError(
        'SessionDurationEscalationException',
        'The requested token duration would extend the session beyond its original expiration time.',
        403,
      );
    const requestTags = Object.fromEntries(passedTags(asked.Tags));
    const [audience] = asked.Audience;
    const claims = {
      sub: caller.principal.roleArn ?? caller.principal.arn,
      aud: asked.Audience.length === 1 ? audience : asked.Audience,
      [namespace]: {
        aws_account: caller.accountId,
        source_region: scope.region,
        ...(Object.keys(caller.tags).length === 0 ? {} : { principal_tags: caller.tags }),
        ...(Object.keys(requestTags).length === 0 ? {} : { request_tags: requestTags }),
      },
    };
    const { token, expiresAt } = await issuer.sign(caller.accountId, asked.SigningAlgorithm, claims, asked.DurationSeconds);
    return { WebIdentityToken: token, Expiration: new Date(expiresAt * 1000) };
  });
}

function needsOf(asked: WebIdentityInput, _scope: Scope): readonly Need[] {
  const tags = passedTags(asked.Tags);
  const context: Need['context'] = {
    'sts:IdentityTokenAudience': asked.Audience,
    'sts:SigningAlgorithm': asked.SigningAlgorithm,
    'sts:DurationSeconds': String(asked.DurationSeconds),
    ...Object.fromEntries([...tags].map(([key, value]) => [`aws:RequestTag/${key}`, value])),
    'aws:TagKeys': [...tags.keys()],
  };
  return [
    { action: 'sts:GetWebIdentityToken', resource: '*', context },
    ...(tags.size === 0 ? [] : [{ action: 'sts:TagGetWebIdentityToken', resource: '*', context }]),
  ];
}
