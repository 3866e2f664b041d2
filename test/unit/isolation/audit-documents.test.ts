import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareFacts, documentChange } from '../../../functions/isolation/audit/compare-facts.ts';
import { isCutOffPolicy } from '../../../functions/isolation/audit/cut-off-form.ts';
import { existence, type Fact } from '../../../functions/isolation/audit/fact.ts';
import { asPolicy, type PolicyDocument, parsePolicy, type Statement } from '../../../functions/isolation/audit/policy-document.ts';
import { listed } from '../../../functions/isolation/audit/thing.ts';
import { revokedPolicy } from '../../../functions/revocation/cut-off/revoked-policy.ts';
import { denying, nothingDenied } from '../../../functions/revocation/cut-off/revoked-statements.ts';
import { tenantId, userId } from '../../../functions/shared/identifier-fields.ts';

const policy = (...Statement: readonly object[]): PolicyDocument => asPolicy({ Version: '2012-10-17', Statement });
const isChanged = (before: PolicyDocument, after: PolicyDocument): boolean => {
  const { added, removed, isOtherVersion } = documentChange(before, after);
  return added.length > 0 || removed.length > 0 || isOtherVersion;
};

const own = '${aws:PrincipalTag/TenantId}';
const allow = {
  Sid: 'Read',
  Effect: 'Allow',
  Action: ['s3:GetObject', 'kms:Decrypt'],
  Resource: [`arn:aws:s3:::b/${own}/*`, 'arn:aws:s3:::b/x'],
};
const deny = {
  Sid: 'No',
  Effect: 'Deny',
  NotAction: 'sts:AssumeRole',
  NotResource: 'arn:aws:s3:::b/y',
  Principal: { AWS: ['111122223333', 'arn:aws:iam::444455556666:role/r'], Service: 'lambda.amazonaws.com' },
  Condition: { StringNotEquals: { 'aws:ResourceTag/TenantId': own }, Bool: { 'aws:SecureTransport': 'true' } },
};

describe('T2 two policies', () => {
  it.each<[string, PolicyDocument]>([
    ['the order of statements', policy(deny, allow)],
    [
      'the order of actions and resources',
      policy({ ...allow, Action: allow.Action.toReversed(), Resource: allow.Resource.toReversed() }, deny),
    ],
    ['a value given twice', policy({ ...allow, Action: [...allow.Action, 's3:GetObject'] }, deny)],
    ['upper and lower case of an action', policy({ ...allow, Action: ['S3:getobject', 'KMS:DECRYPT'] }, deny)],
    ['a list of one value', policy(allow, { ...deny, NotAction: ['sts:AssumeRole'], NotResource: ['arn:aws:s3:::b/y'] })],
    ['one statement alone', asPolicy({ Version: '2012-10-17', Statement: [allow, deny] })],
    [
      'an account by its ARN',
      policy(allow, {
        ...deny,
        Principal: { Service: ['lambda.amazonaws.com'], AWS: ['arn:aws:iam::111122223333:root', deny.Principal.AWS[1]] },
      }),
    ],
    [
      'upper and lower case of condition operators and keys, and a truth value as such',
      policy(allow, {
        ...deny,
        Condition: { bool: { 'AWS:SecureTransport': true }, stringnotequals: { 'AWS:resourcetag/tenantid': [own] } },
      }),
    ],
    ['the name of a statement', policy({ ...allow, Sid: 'Other' }, deny)],
    ['the ID of the policy', asPolicy({ Version: '2012-10-17', Id: 'x', Statement: [allow, deny] })],
  ])('are the same whatever %s', (_, other) => {
    expect(documentChange(policy(allow, deny), other)).toEqual({ added: [], removed: [], isOtherVersion: false });
  });

  it.each<[string, PolicyDocument]>([
    ['an action', policy({ ...allow, Action: ['s3:GetObject'] }, deny)],
    ['a resource in another case', policy({ ...allow, Resource: [allow.Resource[0], 'arn:aws:s3:::b/X'] }, deny)],
    ['the effect', policy({ ...allow, Effect: 'Deny' }, deny)],
    ['Action for NotAction', policy(allow, { ...deny, NotAction: undefined, Action: 'sts:AssumeRole' })],
    ['a condition less', policy(allow, { ...deny, Condition: { Bool: deny.Condition.Bool } })],
    ['a condition’s value', policy(allow, { ...deny, Condition: { ...deny.Condition, Bool: { 'aws:SecureTransport': 'false' } } })],
    [
      'a condition’s operator',
      policy(allow, { ...deny, Condition: { ...deny.Condition, BoolIfExists: deny.Condition.Bool, Bool: undefined } }),
    ],
    [
      'the case of a tag’s value',
      policy(allow, { ...deny, Condition: { ...deny.Condition, StringNotEquals: { 'aws:ResourceTag/TenantId': own.toLowerCase() } } }),
    ],
    ['a principal', policy(allow, { ...deny, Principal: '*' })],
    ['a service for an account', policy(allow, { ...deny, Principal: { AWS: deny.Principal.AWS } })],
    ['a statement less', policy(allow)],
    ['a statement more', policy(allow, deny, { Effect: 'Allow', Action: '*', Resource: '*' })],
    ['an element that nobody knows', policy({ ...allow, Surprise: 1 }, deny)],
    ['the version, without which variables are plain text', asPolicy({ Statement: [allow, deny] })],
  ])('differ by %s', (_, other) => {
    expect(isChanged(policy(allow, deny), other)).toBe(true);
    expect(isChanged(other, policy(allow, deny))).toBe(true);
  });

  const text = fc.stringMatching(/^[a-z]{1,6}$/);
  const many = fc.uniqueArray(text, { minLength: 1, maxLength: 3 });
  const statement = fc.record({
    Sid: text,
    Effect: fc.constantFrom('Allow', 'Deny'),
    Action: many.map((names) => names.map((name) => `s3:${name}`)),
    Resource: many.map((names) => names.map((name) => `arn:aws:s3:::${name}`)),
    Condition: fc.dictionary(fc.constantFrom('StringEquals', 'ArnLike', 'Bool'), fc.dictionary(text, many, { minKeys: 1, maxKeys: 2 }), {
      maxKeys: 2,
    }),
  });

  it('are found to differ whatever one value is changed in one of them, and the same however they are shuffled', () => {
    fc.assert(
      fc.property(fc.uniqueArray(statement, { minLength: 1, maxLength: 3, selector: (one) => one.Sid }), fc.nat(), (statements, at) => {
        const before = policy(...statements);
        expect(isChanged(before, policy(...statements.map(shuffled).toReversed()))).toBe(false);
        const places = statements.flatMap((one, index) => placesIn(one).map((place) => [index, place] as const));
        const [index, place] = places[at % places.length] ?? [0, ['Effect']];
        const changed = statements.map((one, number) => (number === index ? withChange(one, place) : one));
        expect(isChanged(before, policy(...changed))).toBe(true);
      }),
    );
  });

  it('say everybody in two ways, which are one', () => {
    const everybody = { ...deny, Principal: '*' };
    expect(isChanged(policy(everybody), policy({ ...everybody, Principal: { AWS: '*' } }))).toBe(false);
  });

  it('demand both values of a condition key that stands there twice, in upper and lower case', () => {
    const twice = { ...deny, Condition: { StringEquals: { 'aws:PrincipalTag/a': 'x', 'AWS:PrincipalTag/A': 'y' } } };
    const once = { ...deny, Condition: { StringEquals: { 'aws:PrincipalTag/a': 'x' } } };
    expect(isChanged(policy(twice), policy(once))).toBe(true);
    expect(
      isChanged(policy(twice), policy({ ...deny, Condition: { StringEquals: { 'AWS:PrincipalTag/A': 'y', 'aws:PrincipalTag/a': 'x' } } })),
    ).toBe(false);
  });

  it('cannot be compared when one is no policy', () => {
    for (const broken of ['', 'no', '{}', '{"Statement":[{"Action":"s3:*"}]}', '[]'])
      expect(() => parsePolicy(broken)).toThrow(expect.objectContaining({ code: 'AWS_REFUSED' }));
  });

  it('are read as IAM answers them, percent-encoded', () => {
    expect(parsePolicy(encodeURIComponent(JSON.stringify(policy(allow))))).toEqual(policy(allow));
  });
});

function shuffled(one: Statement): object {
  const reversed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(reversed).toReversed();
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .map(([name, member]) => [name, reversed(member)] as const)
        .toReversed(),
    );
  };
  return { ...one, ...Object(reversed(one)) };
}

/** Where a value stands that decides something: all but the name. */
function placesIn(value: unknown, path: readonly (string | number)[] = []): readonly (readonly (string | number)[])[] {
  if (path[0] === 'Sid') return [];
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([name, member]) => placesIn(member, [...path, Array.isArray(value) ? Number(name) : name]));
}

function withChange(value: unknown, [name, ...rest]: readonly (string | number)[]): object {
  const changed = (old: unknown): unknown => {
    if (rest.length > 0) return withChange(old, rest);
    return old === 'Allow' ? 'Deny' : old === 'Deny' ? 'Allow' : `${String(old)}-x`;
  };
  if (Array.isArray(value)) return value.map((one, index) => (index === name ? changed(one) : one));
  return Object.fromEntries(Object.entries(Object(value)).map(([key, one]) => [key, key === name ? changed(one) : one]));
}

describe('T2 the policy of what is cut off', () => {
  const id = fc.stringMatching(/^t[a-z0-9]{1,5}$/).map((one) => tenantId.parse(one));
  const user = fc.stringMatching(/^[a-z2-7]{26}$/).map((one) => userId.parse(one));
  const now = Date.UTC(2026, 10, 1);

  it('is one that its writer makes, whoever is cut off', () => {
    expect(isCutOffPolicy(asPolicy(nothingDenied))).toBe(true);
    const entry = fc.record({
      id: fc.uuid(),
      tenantId: id,
      userId: fc.option(user, { nil: undefined }),
      before: fc.integer({ min: now - 3_000_000, max: now }),
    });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 60 }), (entries) => {
        expect(isCutOffPolicy(asPolicy(revokedPolicy(entries, now).document))).toBe(true);
      }),
    );
  });

  const written = denying([{ instant: now, tenantIds: [tenantId.parse('acme')] }]);
  const [first] = written.Statement;
  it.each<[string, object]>([
    ['an Allow', { ...first, Effect: 'Allow' }],
    ['a wider NotAction', { ...first, NotAction: ['dynamodb:PartiQLInsert', 'secretsmanager:*'] }],
    ['an Action in its place', { ...first, NotAction: undefined, Action: '*' }],
    ['one resource only', { ...first, Resource: 'arn:aws:s3:::b' }],
    ['one condition more', { ...first, Condition: { ...first?.Condition, Bool: { 'aws:SecureTransport': 'false' } } }],
    ['one condition less', { ...first, Condition: { StringEquals: first?.Condition['StringEquals'] } }],
    ['a pattern for a tenant', { ...first, Condition: { ...first?.Condition, StringEquals: { 'aws:PrincipalTag/TenantId': '*' } } }],
    ['another tag', { ...first, Condition: { ...first?.Condition, StringEquals: { 'aws:PrincipalTag/Team': 'a' } } }],
    ['an element more', { ...first, Principal: '*' }],
  ])('is refused with %s', (_, statement) => {
    expect(isCutOffPolicy(asPolicy(written))).toBe(true);
    expect(isCutOffPolicy(policy(statement))).toBe(false);
    expect(isCutOffPolicy(policy(first ?? {}, statement))).toBe(false);
  });
});

describe('T2 facts that are compared', () => {
  const fact = (of: string, aspect: string, ...members: readonly string[]): Fact => ({ of, aspect, value: listed(members, 'changed') });

  it('are one difference each: what is missing, what is too much, what is another', () => {
    const expected = [existence('role a'), fact('role a', 'boundary', 'b'), fact('role a', 'tags')];
    const actual = [existence('role a'), fact('role a', 'boundary'), fact('role a', 'inline policy x', 'y')];
    expect(
      compareFacts(expected, actual, []).map(({ aspect, expected: should, actual: is }) => [
        aspect,
        should !== undefined,
        is !== undefined,
      ]),
    ).toEqual([
      ['boundary', true, true],
      ['tags', true, false],
      ['inline policy x', false, true],
    ]);
  });

  it('differ by the version of a policy alone', () => {
    const of = (document: PolicyDocument): Fact => ({
      of: 'policy p',
      aspect: 'document',
      value: { kind: 'document', document, checkedAs: 'IDENTITY_POLICY' },
    });
    expect(compareFacts([of(policy(allow))], [of(asPolicy({ Statement: [allow] }))], [])).toHaveLength(1);
    expect(compareFacts([of(policy(allow))], [of(policy(allow))], [])).toEqual([]);
  });

  it('are one difference for a thing that is missing, or a stranger, as a whole', () => {
    const a = [existence('role a'), fact('role a', 'boundary', 'b')];
    const b = [existence('role b'), fact('role b', 'boundary', 'b')];
    expect(compareFacts(a, b, []).map(({ of, aspect }) => [of, aspect])).toEqual([
      ['role a', 'existence'],
      ['role b', 'existence'],
    ]);
  });

  it('are none of what could not be read, and hide nothing else', () => {
    const expected = [existence('role a'), fact('role a', 'boundary', 'b'), existence('key k'), fact('key k', 'grants')];
    expect(compareFacts(expected, [], [{ of: 'key k', why: 'denied' }]).map(({ of }) => of)).toEqual(['role a']);
    const actual = [existence('role a'), fact('role a', 'boundary')];
    expect(
      compareFacts(expected, actual, [
        { of: 'key k', why: '' },
        { of: 'role a', aspect: 'boundary', why: '' },
      ]),
    ).toEqual([]);
  });
});
