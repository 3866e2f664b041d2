/** Events that must change nothing, as data: how each differs from one that would be applied, and the reason that must come of it. */

/** What exists when the events come. */
export interface Known {
  /** An ID that no tenant has. */
  readonly fresh: string;
  /** A pool tenant with the credential `openai-main`, one of its user's own (`ana-key`), one that is awaited (`anthropic-own`). */
  readonly active: string;
  /** Another tenant, with the credential `neighbours-key`. */
  readonly neighbour: string;
  readonly offboarded: string;
  /** Users of `active`, and one of `neighbour`. */
  readonly ana: string;
  readonly offboardedUser: string;
  readonly neighboursUser: string;
  readonly issuer: string;
}

export interface BadEvent {
  readonly name: string;
  readonly detailType: string;
  readonly detail: (known: Known) => object;
  /** Of the dead letter and of the failure event. */
  readonly code: string;
  readonly reason: RegExp;
  /** True when the event names no tenant that could be told of it. */
  readonly anonymous?: boolean;
}

type Change = Readonly<Record<string, unknown>> | ((known: Known) => Readonly<Record<string, unknown>>);
const applied = (change: Change, known: Known): Readonly<Record<string, unknown>> =>
  typeof change === 'function' ? change(known) : change;

const openAi = { credentialId: 'openai-main', provider: 'openai', source: 'platform-issued', environment: 'production' };
const rule = { match: { provider: 'openai', environment: 'production' }, use: 'openai-main' };

/** Details that would be applied; a member changed to undefined is left out. */
export const details = {
  TenantOnboarded: (known: Known, change: Change = {}): object => ({
    version: 1,
    tenantId: known.fresh,
    displayName: 'Fresh',
    tier: 'pool',
    requestedBy: 'test',
    credentials: [openAi],
    ...applied(change, known),
  }),
  UserOnboarded: (known: Known, change: Change = {}): object => ({
    version: 1,
    tenantId: known.active,
    issuer: known.issuer,
    subject: 'somebody new',
    requestedBy: 'test',
    ...applied(change, known),
  }),
  CredentialRequested: (known: Known, change: Change = {}): object => ({
    version: 1,
    tenantId: known.active,
    requestedBy: 'test',
    credential: { ...openAi, credentialId: 'one-more' },
    ...applied(change, known),
  }),
  RoutingRulesChanged: (known: Known, change: Change = {}): object => ({
    version: 1,
    tenantId: known.active,
    requestedBy: 'test',
    rules: [rule],
    ...applied(change, known),
  }),
};
type DetailType = keyof typeof details;
const detailTypes: readonly DetailType[] = ['TenantOnboarded', 'UserOnboarded', 'CredentialRequested', 'RoutingRulesChanged'];

const bad = (detailType: DetailType, name: string, change: Change, reason: RegExp, code = 'EVENT_INVALID'): BadEvent => ({
  name,
  detailType,
  detail: (known) => details[detailType](known, change),
  code,
  reason,
});
const onboarding = (name: string, change: Change, reason: RegExp, code?: string): BadEvent =>
  bad('TenantOnboarded', name, change, reason, code);
/** An onboarding whose one credential is this. */
const credential = (name: string, change: Change, reason: RegExp, code?: string): BadEvent =>
  onboarding(name, (known) => ({ credentials: [{ ...openAi, ...applied(change, known) }] }), reason, code);
const routing = (name: string, change: Change, reason: RegExp): BadEvent =>
  onboarding(name, (known) => ({ routing: [{ ...rule, ...applied(change, known) }] }), reason);

/** Written out: read from the code, a name that goes missing there would go missing here. */
const reserved = ['cordon', 'platform', 'system', 'admin', 'root', 'aws', 'probe', 'default', 'tenant', 'none', 'null', 'undefined'];
const pattern = /tenantId: must match/;
const badTenantIds: readonly (readonly [name: string, tenantId: unknown, reason?: RegExp])[] = [
  ['missing', undefined, /tenantId: Invalid input: expected string/],
  ['null', null, /tenantId: Invalid input: expected string/],
  ['a number', 42, /tenantId: Invalid input: expected string/],
  ['a list of one tenant', ['acme'], /tenantId: Invalid input: expected string/],
  ['an object', { toString: 'acme' }, /tenantId: Invalid input: expected string/],
  ['empty', ''],
  ['a blank', ' '],
  ['in upper case', 'ACME'],
  ['capitalized', 'Acme'],
  ['a path', 'acme/x'],
  ['a path with backslashes', 'acme\\x'],
  ['a path that leads up', '../acme'],
  ['two dots', '..'],
  ['with a dot, as in the names of roles', 'acme.writer'],
  ['with the delimiter of keys', 'acme#'],
  ['the key of another tenant', 'TENANT#acme#'],
  ['with a colon, as in ARNs', 'acme:x'],
  ['a wildcard', '*'],
  ['with a wildcard', 'acme*'],
  ['a question mark', '?'],
  ['a policy variable', '${aws:PrincipalTag/TenantId}'],
  ['with a dash in front', '-acme'],
  ['with a dash at the end', 'acme-'],
  ['with an underscore', 'acme_x'],
  ['with a blank at the end', 'acme '],
  ['with a line break at the end', 'acme\n'],
  ['with a line break inside', 'acme\nx'],
  ['with a null character', 'acme\u0000'],
  ['with a Cyrillic letter', 'аcme'],
  ['with a Greek letter', 'αcme'],
  ['with an accent in one character', 'acm\u00e9'],
  ['with a combining accent', 'acme\u0301'],
  ['in full-width letters', 'ａｃｍｅ'],
  ['in mathematical letters', '𝚊𝚌𝚖𝚎'],
  ['with Arabic digits', 'acme-٣'],
  ['with a zero-width space', 'ac\u200bme'],
  ['with a reversing character', '\u202eemca'],
  ['with half of a surrogate pair', 'acme\ud800'],
  ['with a dotless i', 'ıacme'],
  ['33 characters', 'a'.repeat(33)],
  ['ten thousand characters', 'a'.repeat(10_000)],
  ['a prototype', '__proto__'],
  ...reserved.map((id) => [`the reserved ${id}`, id, /tenantId: is a reserved name/] as const),
];

export const badTenants: readonly BadEvent[] = [
  ...badTenantIds.map(([name, tenantId, reason = pattern]) => ({
    ...onboarding(`a tenant ID that is ${name}`, { tenantId, displayName: 'A name that is fine' }, reason),
    anonymous: true,
  })),
  ...detailTypes.slice(1).map((type) => ({ ...bad(type, 'a tenant ID that leads up', { tenantId: '../acme' }, pattern), anonymous: true })),
  ...detailTypes.map((type) =>
    bad(type, 'a tenant that was offboarded', ({ offboarded }) => ({ tenantId: offboarded }), /was offboarded/, 'TENANT_OFFBOARDED'),
  ),
];

export const badDetails: readonly BadEvent[] = [
  ...detailTypes.flatMap((type) => [
    bad(type, 'no version', { version: undefined }, /version: Invalid input: expected 1/),
    bad(type, 'the next version', { version: 2 }, /version: Invalid input: expected 1/),
    bad(type, 'a version that is a text', { version: '1' }, /version: Invalid input: expected 1/),
    bad(type, 'a member that nobody knows', { tenantid: 'acme' }, /it: has 1 member\(s\) that are not known/),
    bad(type, 'nobody who asked for it', { requestedBy: undefined }, /requestedBy: Invalid input: expected string/),
    bad(
      type,
      'a requester with a line break',
      { requestedBy: 'somebody\n{"level":"INFO"}' },
      /requestedBy: must hold no control characters/,
    ),
  ]),
  onboarding('an unknown tier', { tier: 'gold' }, /tier: Invalid option/),
  onboarding('no tier', { tier: undefined }, /tier: Invalid option/),
  onboarding('an empty name', { displayName: '' }, /displayName: Too small/),
  onboarding('a name of 129 characters', { displayName: 'n'.repeat(129) }, /displayName: Too big/),
  onboarding('a name of a hundred thousand characters', { displayName: 'n'.repeat(100_000) }, /displayName: Too big/),
  onboarding('a name that is a number', { displayName: 7 }, /displayName: Invalid input: expected string/),
  onboarding('a name with a reversing character', { displayName: 'Acme \u202ecni' }, /displayName: must hold no control characters/),
  onboarding('a name with half of a surrogate pair', { displayName: 'Acme \ud800' }, /displayName: must hold no control characters/),
  onboarding('no credentials', { credentials: undefined }, /credentials: Invalid input: expected array/),
  onboarding('credentials that are an object', { credentials: { 0: openAi } }, /credentials: Invalid input: expected array/),
  onboarding('a credential that is null', { credentials: [null] }, /credentials\.0: Invalid input: expected object/),
  onboarding(
    '51 credentials',
    { credentials: Array.from({ length: 51 }, (_, n) => ({ ...openAi, credentialId: `c-${n}` })) },
    /credentials: Too big/,
  ),
  onboarding('the same credential ID twice', { credentials: [openAi, openAi] }, /credentials\.1\.credentialId: appears twice/),
  onboarding(
    'the same credential ID for two providers',
    { credentials: [openAi, { ...openAi, provider: 'anthropic', source: 'customer-supplied' }] },
    /credentials\.1\.credentialId: appears twice/,
  ),
  credential('a credential ID in upper case', { credentialId: 'OpenAI' }, /credentialId: must match/),
  credential('a credential ID that is a path', { credentialId: '../../acme/openai-main' }, /credentialId: must match/),
  credential('a credential ID of 49 characters', { credentialId: 'c'.repeat(49) }, /credentialId: must match/),
  credential('an empty credential ID', { credentialId: '' }, /credentialId: must match/),
  credential('a credential ID with a line break at the end', { credentialId: 'openai\n' }, /credentialId: must match/),
  credential('a credential ID that is a wildcard', { credentialId: '*' }, /credentialId: must match/),
  credential('an unknown provider', { provider: 'openly' }, /provider: Invalid option/),
  credential('a provider that is a member of every object', { provider: 'constructor' }, /provider: Invalid option/),
  credential('a provider in upper case', { provider: 'OpenAI' }, /provider: Invalid option/),
  credential('an unknown source', { source: 'found' }, /source: Invalid option/),
  credential('an environment in upper case', { environment: 'Production' }, /environment: must be a lower-case name/),
  credential('no environment', { environment: undefined }, /environment: Invalid input: expected string/),
  credential('a member that nobody knows in a credential', { apiKey: 'here' }, /credentials\.0: has 1 member\(s\) that are not known/),
  credential('a user ID that is a name', { userId: 'ana' }, /userId: must match/),
  credential('a team that no tag can hold', { team: 'a\nb' }, /team: must be a short plain name/),
  credential('a use case that is too long', { useCase: 'u'.repeat(65) }, /useCase: must be a short plain name/),
  credential(
    '17 labels',
    { labels: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`l-${n}`, 'x'])) },
    /labels: must have at most 16 labels/,
  ),
  credential('a label with a name that is not allowed', { labels: { 'No!': 'x' } }, /labels\.\*: has a name that is not allowed/),
  credential(
    'a number of days that is a text',
    { rotation: { everyDays: '30', graceHours: 1 } },
    /rotation\.everyDays: Invalid input: expected number/,
  ),
  credential('a rotation every zero days', { rotation: { everyDays: 0, graceHours: 1 } }, /rotation\.everyDays: Too small/),
  credential(
    'a rotation every 1.5 days',
    { rotation: { everyDays: 1.5, graceHours: 1 } },
    /rotation\.everyDays: Invalid input: expected int/,
  ),
  credential('a negative grace period', { rotation: { everyDays: 30, graceHours: -1 } }, /rotation\.graceHours: Too small/),
  credential('a rotation without a grace period', { rotation: { everyDays: 30 } }, /rotation\.graceHours: Invalid input/),
  credential('a federated credential of a pool tenant', { source: 'federated' }, /source: federated needs tier dedicated/),
  credential(
    'a key that the platform cannot issue',
    { provider: 'anthropic' },
    /credential openai-main: keys for anthropic cannot be issued by the platform/,
  ),
  credential(
    'a credential of a user who does not exist',
    ({ ana }) => ({ userId: ana }),
    /is for a user who does not exist/,
    'USER_UNKNOWN',
  ),
  routing('a rule for a credential that does not exist', { use: 'nowhere' }, /routing\.0\.use: names no credential of this event/),
  routing('a rule with a backup that does not exist', { backup: 'nowhere' }, /routing\.0\.backup: names no credential of this event/),
  routing("a rule for a neighbour's credential", { use: 'neighbours-key' }, /routing\.0\.use: names no credential of this event/),
  routing(
    "a rule that spells out a neighbour's secret",
    ({ neighbour }) => ({ use: `../${neighbour}/neighbours-key` }),
    /routing\.0\.use: must match/,
  ),
  routing(
    'a rule into another environment',
    { match: { ...rule.match, environment: 'staging' } },
    /rule 0 would send staging to credential openai-main of production/,
  ),
  routing(
    'a rule to another provider',
    { match: { ...rule.match, provider: 'gemini' } },
    /rule 0 would send gemini to credential openai-main for openai/,
  ),
  routing('a member that nobody knows in a rule', { priority: 1 }, /routing\.0: has 1 member\(s\) that are not known/),
  onboarding('101 rules', { routing: Array.from({ length: 101 }, () => rule) }, /routing: Too big/),
  bad('UserOnboarded', 'an issuer without TLS', { issuer: 'http://issuer.example' }, /issuer: must be an https URL/),
  bad('UserOnboarded', 'an issuer with a password', { issuer: 'https://user:word@issuer.example' }, /issuer: must be an https URL/),
  bad('UserOnboarded', 'an issuer that is a script', { issuer: 'javascript:alert(1)' }, /issuer: must be an https URL/),
  bad('UserOnboarded', 'no subject', { subject: undefined }, /subject: Invalid input/),
  bad('UserOnboarded', 'an empty subject', { subject: '' }, /subject: Too small/),
  bad('UserOnboarded', 'a subject of 256 characters', { subject: 's'.repeat(256) }, /subject: Too big/),
  bad('UserOnboarded', 'a user ID of its own choice', ({ ana }) => ({ userId: ana }), /has 1 member\(s\) that are not known/),
  bad('CredentialRequested', 'no credential', { credential: undefined }, /credential: Invalid input: expected object/),
  bad('CredentialRequested', 'a list of credentials', { credential: [openAi] }, /credential: Invalid input: expected object/),
  bad('RoutingRulesChanged', 'no rules', { rules: undefined }, /rules: Invalid input: expected array/),
];

const another = (change: Readonly<Record<string, unknown>>) => ({ credential: { ...openAi, credentialId: 'one-more', ...change } });
const known = ({ active }: Known) => active;
const anthropicOwn = { credentialId: 'anthropic-own', provider: 'anthropic', source: 'customer-supplied', environment: 'production' };
/** The onboarding of the active tenant, in another way than it was. */
const again = (name: string, change: Readonly<Record<string, unknown>>, reason: RegExp): BadEvent =>
  onboarding(name, (all) => ({ tenantId: known(all), credentials: [openAi, anthropicOwn], ...change }), reason, 'EVENT_CONTRADICTS');

export const contradictions: readonly BadEvent[] = [
  again('another tier than the tenant has', { tier: 'dedicated' }, /exists with tier pool, not dedicated/),
  again(
    'another source of a credential',
    { credentials: [{ ...openAi, source: 'customer-supplied' }, anthropicOwn] },
    /credential openai-main was onboarded with another/,
  ),
  again(
    'another environment of a credential',
    { credentials: [{ ...openAi, environment: 'staging' }, anthropicOwn] },
    /credential openai-main was onboarded with another/,
  ),
  again(
    'one credential more',
    { credentials: [openAi, anthropicOwn, { ...openAi, credentialId: 'second' }] },
    /credential second is not of this tenant's onboarding/,
  ),
  again('one credential less', { credentials: [openAi] }, /credential anthropic-own of this tenant's onboarding is missing/),
  bad(
    'CredentialRequested',
    'an existing credential in another environment',
    another({ credentialId: 'openai-main', environment: 'staging' }),
    /credential openai-main exists with another/,
    'EVENT_CONTRADICTS',
  ),
  bad(
    'CredentialRequested',
    'an existing credential for one user',
    ({ ana }) => another({ credentialId: 'openai-main', userId: ana }),
    /credential openai-main exists with another/,
    'EVENT_CONTRADICTS',
  ),
  bad('CredentialRequested', 'a federated credential of a pool tenant', another({ source: 'federated' }), /federated needs tier dedicated/),
  bad(
    'CredentialRequested',
    'a key that the platform cannot issue',
    another({ provider: 'cohere' }),
    /keys for cohere cannot be issued by the platform/,
  ),
  bad(
    'CredentialRequested',
    'a credential of a user who was offboarded',
    ({ offboardedUser }) => another({ userId: offboardedUser }),
    /was offboarded/,
    'USER_UNKNOWN',
  ),
  bad('UserOnboarded', 'a user who was offboarded', { subject: 'gone' }, /user [a-z2-7]{26} was offboarded/, 'EVENT_CONTRADICTS'),
  bad(
    'RoutingRulesChanged',
    'a rule into another environment',
    { rules: [{ ...rule, match: { ...rule.match, environment: 'staging' } }] },
    /rule 0 would send staging to credential openai-main of production/,
  ),
  bad(
    'RoutingRulesChanged',
    "a rule that sends everybody to one user's credential",
    { rules: [{ ...rule, use: 'ana-key' }] },
    /rule 0 would send the whole tenant to credential ana-key of one user/,
  ),
];

/** What they miss may be on its way: they are tried again, and given up in the end. */
export const missing: readonly BadEvent[] = [
  ...detailTypes
    .slice(1)
    .map((type) => bad(type, 'a tenant nobody knows', ({ fresh }) => ({ tenantId: fresh }), /is not onboarded/, 'TENANT_UNKNOWN')),
  bad(
    'CredentialRequested',
    'a credential of a user nobody knows',
    another({ userId: 'a'.repeat(26) }),
    /user a{26} is not onboarded/,
    'USER_UNKNOWN',
  ),
  bad(
    'CredentialRequested',
    "a credential of a neighbour's user",
    ({ neighboursUser }) => another({ userId: neighboursUser }),
    /user [a-z2-7]{26} is not onboarded/,
    'USER_UNKNOWN',
  ),
  bad(
    'RoutingRulesChanged',
    'a rule for a credential nobody knows',
    { rules: [{ ...rule, use: 'nowhere' }] },
    /rule 0 names credential nowhere/,
    'CREDENTIAL_UNKNOWN',
  ),
  bad(
    'RoutingRulesChanged',
    "a rule for a neighbour's credential",
    { rules: [{ ...rule, use: 'neighbours-key' }] },
    /rule 0 names credential neighbours-key, which the tenant does not have/,
    'CREDENTIAL_UNKNOWN',
  ),
];
