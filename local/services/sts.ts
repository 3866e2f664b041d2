/**
 * The STS service: AssumeRole, GetCallerIdentity, GetWebIdentityToken, at the endpoint of each Region. Sources: STS API Reference; IAM User
 * Guide, "Manage AWS STS in an AWS Region".
 */
import { z } from 'zod';
import type { IdentityStore } from '../core/identity-store.ts';
import type { LocalKernel } from '../core/kernel.ts';
import type { LocalService, Operation } from '../core/service.ts';
import { queryOperation } from './query-operation.ts';
import { assumeRoleOperation } from './sts-assume-role.ts';
import { webIdentityOperation } from './sts-web-identity.ts';
import type { WebIdentityIssuer } from './sts-web-identity-issuer.ts';

/** Without an issuer there is no `GetWebIdentityToken`. */
export function createSts(
  kernel: LocalKernel,
  { webIdentity }: { readonly webIdentity?: WebIdentityIssuer | undefined } = {},
): LocalService {
  return {
    signingName: 'sts',
    protocol: 'query',
    everyRegion: true,
    xmlNamespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
    operations: {
      ...assumeRoleOperation(kernel.identities),
      ...callerIdentityOperation(kernel.identities),
      ...(webIdentity === undefined ? {} : webIdentityOperation(kernel.identities, webIdentity)),
    },
  };
}

/** No permission is needed, and an explicit Deny does not stop it ("GetCallerIdentity"). */
function callerIdentityOperation(store: IdentityStore): Record<string, Operation> {
  return queryOperation(
    'GetCallerIdentity',
    z.strictObject({}),
    () => [],
    (_, { caller }) => {
      const session = store.sessions.get(caller.accessKeyId);
      const sessionId = session === undefined ? undefined : `${session.role.uniqueId}:${session.sessionName}`;
      const userId = store.keys.get(caller.accessKeyId)?.user.uniqueId;
      return { UserId: sessionId ?? userId ?? caller.accountId, Account: caller.accountId, Arn: caller.principal.arn };
    },
  );
}
