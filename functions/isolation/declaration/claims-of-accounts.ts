import type { ProviderName } from '../../providers/provider-name.ts';
import type { CredentialId } from '../../shared/identifiers.ts';
import type { StoredCredential } from '../../tenants/credential-spec.ts';
import { canaryProvider } from '../canaries.ts';
import { type Claim, claimsOf, type ServiceDeclaration, type Sharing } from './claim.ts';

/** What of a credential decides whose account at the provider it is in. */
export interface CredentialFacts {
  readonly credentialId: CredentialId;
  readonly provider: ProviderName;
  readonly source: StoredCredential['source'];
}

/** Whose account or project a credential is in, at its provider. */
export interface CredentialDeclaration extends CredentialFacts {
  readonly account: 'own' | 'not-made-yet' | 'customers' | 'not-known';
  readonly sharing: Sharing;
  readonly justification: string;
  readonly claim: Claim;
}

const claim = claimsOf('provider-accounts');
const countedApart = 'its rate limits and usage are counted apart from every other tenant’s';

/** @param made providers that Cordon has made an account for the tenant at */
export function credentialDeclaration(facts: CredentialFacts, made: ReadonlySet<ProviderName>): CredentialDeclaration {
  const { credentialId, provider, source } = facts;
  const say = (account: CredentialDeclaration['account'], sharing: Sharing, justification: string, one: Claim): CredentialDeclaration => ({
    ...{ credentialId, provider, source, account, sharing, justification, claim: one },
  });
  const declaredOnly = (says: string, mechanism: string): Claim => claim(credentialId, says, [mechanism], {});
  switch (source) {
    case 'platform-issued':
      return made.has(provider)
        ? say('own', 'per-tenant', `Made by Cordon in an account or project at ${provider} that is the tenant’s alone.`, {
            ...claim(
              credentialId,
              `${credentialId} is in an account of its own at ${provider}: ${countedApart}.`,
              ['functions/tenants/provider-account.ts'],
              {
                // The canaries have keys at this one provider; of the others nothing is shown.
                ...(provider === canaryProvider && { 'rate-limit-attribution': ['accounts', 'counters'] }),
              },
            ),
          })
        : say(
            'not-made-yet',
            'shared',
            `To be made by Cordon at ${provider}; there is no account of the tenant’s there yet, and so nothing to declare.`,
            declaredOnly(`${credentialId} will be in an account of its own at ${provider}.`, 'functions/tenants/provider-account.ts'),
          );
    case 'customer-supplied':
      return say(
        'customers',
        'per-tenant',
        'Handed over by the customer, from an account of the customer’s. Whoever else has keys in it is the customer’s to know; tenants that keep being throttled together are found.',
        declaredOnly(`${credentialId} is in the customer’s own account at ${provider}.`, 'functions/credentials/supply-secret.ts'),
      );
    case 'customer-role':
      return say(
        'customers',
        'per-tenant',
        'A role in the customer’s own AWS account: quotas are the account’s.',
        declaredOnly(`${credentialId} works in the customer’s own AWS account.`, 'functions/byoc/probe/probe-role.ts'),
      );
    case 'federated':
      return say(
        'not-known',
        'shared',
        `No key: ${provider} takes a token that proves the tenant. Which account it leads to is set up at the provider, where Cordon does not look.`,
        declaredOnly(
          `${credentialId} leads to an account at ${provider} that is set up for the tenant alone.`,
          'functions/providers/federation.ts',
        ),
      );
  }
}

export function accountsService(credentials: readonly CredentialDeclaration[]): ServiceDeclaration {
  return {
    service: 'provider-accounts',
    sharing: credentials.every(({ sharing }) => sharing === 'per-tenant') ? 'per-tenant' : 'shared',
    justification:
      credentials.length === 0
        ? 'The tenant has no credential, and so no account at any provider.'
        : 'It depends on where each credential comes from; see credentials.',
    claims: credentials.map((credential) => credential.claim),
  };
}
