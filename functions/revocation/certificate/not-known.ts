import type { Scope } from '../events.ts';
import type { CertificateRecord, CredentialRecord } from './certificate.ts';

/** Something that no certificate of Cordon's can vouch for. */
export interface Unknowable {
  readonly code: string;
  readonly text: string;
}

interface Told {
  readonly credentials: readonly CredentialRecord[];
  readonly scopes: ReadonlySet<Scope>;
}

const limits: readonly (Unknowable & { readonly holds: (told: Told) => boolean })[] = [
  {
    code: 'ANSWERS_GIVEN',
    text: 'What providers answered before the revocation was in force is with whoever asked. Nothing takes it back.',
    holds: () => true,
  },
  {
    code: 'LATER_CHANGES',
    text: 'That a provider refused a key was so at the time given. Whether the provider, or whoever administers an account there, lets the same key in again later cannot be seen from here.',
    holds: ({ credentials }) => credentials.some(({ versions }) => versions.length > 0),
  },
  {
    code: 'COPIES_ELSEWHERE',
    text: 'The customer made some of these keys and may have copies in other places. Only the customer can end such a key at the provider; where it was not seen refused, it is listed as not confirmed.',
    holds: ({ credentials }) => credentials.some(({ source }) => source === 'customer-supplied'),
  },
  {
    code: 'ATTESTED',
    text: 'Of some keys a person said that the provider refuses them. Cordon has not seen the refusal.',
    holds: ({ credentials }) => credentials.some(({ versions }) => versions.some(({ confirmation }) => confirmation === 'attested')),
  },
  {
    code: 'CUSTOMER_ACCOUNTS',
    text: 'Sessions of a role in a customer’s own AWS account end by themselves, an hour after the last one that Cordon took at the latest. The role stays there until the customer deletes its stack.',
    holds: ({ credentials, scopes }) => scopes.has('tenant') || credentials.some(({ source }) => source === 'customer-role'),
  },
  {
    code: 'FEDERATED_TOKENS',
    text: 'Tokens that a provider gave out in exchange for an identity token of Cordon’s end at the time the provider wrote into them.',
    holds: ({ credentials }) => credentials.some(({ source }) => source === 'federated'),
  },
  {
    code: 'TOKENS_ELSEWHERE',
    text: 'Cordon refuses the tokens of the user, the agent or the session. Other services that trust the same issuer decide for themselves.',
    holds: ({ scopes }) => (['tenant', 'user', 'agent', 'session'] as const).some((scope) => scopes.has(scope)),
  },
];

/** What holds for these records. */
export function unknowableOf(records: readonly CertificateRecord[]): readonly Unknowable[] {
  const told: Told = {
    credentials: records.flatMap((record) => (record.kind === 'credential' ? [record] : [])),
    scopes: new Set(records.flatMap((record) => (record.kind === 'revocation' ? [record.scope] : []))),
  };
  return limits.filter(({ holds }) => holds(told)).map(({ code, text }) => ({ code, text }));
}
