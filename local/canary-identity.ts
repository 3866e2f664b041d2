/** What whoever deploys Cordon does once for its isolation tests: clients for the canaries at the identity provider, and the secret that says so. */
import { canaryIds } from '../functions/isolation/canaries.ts';
import type { LocalKernel } from './core/kernel.ts';
import type { OidcIssuer } from './world/oidc.ts';

/** @param brokerUrl where the stack's API answers here, with its stage */
export async function storeCanaryIdentity(
  kernel: LocalKernel,
  outputs: Readonly<Record<string, string>>,
  oidc: OidcIssuer,
  brokerUrl: string,
): Promise<void> {
  const SecretId = outputs['IsolationIdentitySecretArn'];
  if (SecretId === undefined) return;
  const clientOf = (tenantId: string): object => {
    const { clientId, clientSecret } = oidc.clientOf(tenantId);
    return { clientId, clientSecret };
  };
  const SecretString = JSON.stringify({
    ...{ tokenUrl: oidc.tokenUrl, brokerUrl },
    clients: { a: clientOf(canaryIds.a), b: clientOf(canaryIds.b) },
  });
  await kernel.call(kernel.rootCaller(kernel.accountId), 'secretsmanager', 'PutSecretValue', { SecretId, SecretString });
}
