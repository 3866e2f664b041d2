import { CordonError } from '../shared/errors.ts';
import type { UserId } from '../shared/identifiers.ts';
import type { Asked } from './asked.ts';
import type { CredentialFacts, Match, Rule } from './catalogue.ts';

/**
 * The one credential for a call: of the tenant's rules that fit, whose credential belongs to nobody or to the caller. A credential of the caller's own outranks the
 * tenant's, whatever its status: one that was revoked is refused at the gate and nothing takes its place.
 *
 * @throws CordonError NO_CREDENTIAL or AMBIGUOUS_CREDENTIAL, naming what the caller can add; DATA_CLASS_NOT_CLEARED
 */
export function chooseCredential(
  catalogue: { readonly rules: readonly Rule[]; readonly credentials: ReadonlyMap<string, CredentialFacts> },
  provider: string,
  asked: Asked,
  userId: UserId,
): CredentialFacts {
  const own: Candidate[] = [];
  const shared: Candidate[] = [];
  for (const { match, use } of catalogue.rules) {
    const credential = catalogue.credentials.get(use);
    if (credential?.userId === undefined && credential !== undefined && fits(match, provider, asked)) shared.push({ match, credential });
  }
  // A rule is for the whole tenant and never leads to one user's credential: the user's own stand for themselves.
  for (const credential of catalogue.credentials.values()) {
    if (credential.userId === userId && fits(credential, provider, asked)) own.push({ match: credential, credential });
  }
  const candidates = own.length > 0 ? own : shared;
  const [first] = candidates;
  if (first === undefined) throw noCredential(provider, asked);
  if (candidates.some(({ credential }) => credential.credentialId !== first.credential.credentialId))
    throw ambiguous(provider, asked, candidates);
  const { credential } = first;
  if (!isCleared(credential, asked)) {
    throw new CordonError('DATA_CLASS_NOT_CLEARED', `The credential for this call is not cleared for data class "${asked.dataClass}".`);
  }
  return credential;
}

/**
 * What the rules that led to a credential name as its backup; undefined when they name none, or not the same one. A backup is as close to the call as the credential
 * itself: same provider and environment, nobody's own, cleared for the data. Where a customer's credential was asked for, it is a customer's too: what is not the
 * customer's never takes the place of what is.
 */
export function backupOf(
  catalogue: { readonly rules: readonly Rule[]; readonly credentials: ReadonlyMap<string, CredentialFacts> },
  provider: string,
  asked: Asked,
  credential: CredentialFacts,
): CredentialFacts | undefined {
  // No rule led to what is a user's own.
  if (credential.userId !== undefined) return undefined;
  const named = new Set<string>();
  for (const { match, use, backup } of catalogue.rules) {
    if (use === credential.credentialId && backup !== undefined && fits(match, provider, asked)) named.add(backup);
  }
  const [only] = named;
  if (only === undefined || named.size > 1 || only === credential.credentialId) return undefined;
  const backup = catalogue.credentials.get(only);
  if (backup === undefined || backup.userId !== undefined) return undefined;
  if (backup.provider !== credential.provider || backup.environment !== credential.environment) return undefined;
  if (isCustomers(credential) && !isCustomers(backup)) return undefined;
  return isCleared(backup, asked) ? backup : undefined;
}

function isCustomers({ source }: CredentialFacts): boolean {
  return source === 'customer-supplied' || source === 'customer-role';
}

function isCleared({ dataClasses }: CredentialFacts, { dataClass }: Asked): boolean {
  return dataClass === undefined || dataClasses.includes(dataClass);
}

interface Candidate {
  readonly match: Match;
  readonly credential: CredentialFacts;
}

/** What the match names must be equal; only the environment may be left open by the caller. */
function fits(match: Match, provider: string, asked: Asked): boolean {
  return (
    match.provider === provider &&
    (asked.environment === undefined || match.environment === asked.environment) &&
    (match.useCase === undefined || match.useCase === asked.useCase) &&
    (match.team === undefined || match.team === asked.team) &&
    Object.keys(match.labels).every((name) => match.labels[name] === asked.labels[name])
  );
}

function noCredential(provider: string, { environment, useCase, team }: Asked): CordonError {
  const said = [
    environment !== undefined && `environment "${environment}"`,
    useCase !== undefined && `use case "${useCase}"`,
    team !== undefined && `team "${team}"`,
  ].filter((part) => part !== false);
  return new CordonError(
    'NO_CREDENTIAL',
    `No credential is set up for ${provider}${said.length > 0 ? ` with ${said.join(', ')}` : ''}. ` +
      'Say which with the headers x-cordon-environment, x-cordon-use-case, x-cordon-team and x-cordon-labels, or have a routing rule added.',
  );
}

/** Names the headers by which the candidates could be told apart; never the candidates. */
function ambiguous(provider: string, asked: Asked, candidates: readonly Candidate[]): CordonError {
  const differ = (of: (match: Match) => string | undefined): boolean => new Set(candidates.map(({ match }) => of(match))).size > 1;
  const headers = [
    asked.environment === undefined && differ((match) => match.environment) && 'x-cordon-environment',
    asked.useCase === undefined && differ((match) => match.useCase) && 'x-cordon-use-case',
    asked.team === undefined && differ((match) => match.team) && 'x-cordon-team',
    differ((match) => JSON.stringify(match.labels)) && 'x-cordon-labels',
  ].filter((name) => name !== false);
  const remedy =
    headers.length > 0
      ? `Say which with ${headers.join(', ')}.`
      : 'Their routing rules overlap: have one of them made narrower or removed.';
  return new CordonError('AMBIGUOUS_CREDENTIAL', `More than one credential fits this call to ${provider}. ${remedy}`);
}
