import { describe, expect, it } from 'vitest';
import { type Asked, askedOf } from '../../../functions/broker/asked.ts';
import type { CredentialFacts, Rule } from '../../../functions/broker/catalogue.ts';
import { chooseCredential } from '../../../functions/broker/choose-credential.ts';
import { credentialId } from '../../../functions/shared/identifier-fields.ts';
import { ann, bob, facts, ruleTo } from './broker-world.ts';

const named = (id: string, over: Partial<CredentialFacts> = {}): CredentialFacts =>
  facts({ credentialId: credentialId.parse(id), ...over });
const choose = (rules: readonly Rule[], credentials: readonly CredentialFacts[], asked: Partial<Asked> = {}): string =>
  chooseCredential(
    { rules, credentials: new Map(credentials.map((one) => [one.credentialId, one])) },
    'openai',
    { ...askedOf({}), ...asked },
    ann,
  ).credentialId;

describe('I6 G6 choosing a credential', () => {
  const [production, staging] = [named('production'), named('staging', { environment: 'staging' })];
  const rules = [ruleTo('production'), ruleTo('staging', { environment: 'staging' })];

  it('goes by the environment that the caller names', () => {
    expect(choose(rules, [production, staging], { environment: 'staging' })).toBe('staging');
    expect(choose(rules, [production, staging], { environment: 'production' })).toBe('production');
  });

  it('needs no environment where only one fits', () => {
    expect(choose([ruleTo('production')], [production, staging])).toBe('production');
  });

  it.each([
    ['use case', 'x-cordon-use-case', { useCase: 'support' }, { useCase: 'support' }],
    ['team', 'x-cordon-team', { team: 'care' }, { team: 'care' }],
    ['label', 'x-cordon-labels', { labels: { tier: 'gold' } }, { labels: { tier: 'gold', extra: 'x' } }],
  ])('takes a rule with a %s only for a call that says it', (_what, header, match, asked) => {
    const special = [ruleTo('production', match)];
    expect(choose(special, [production], asked)).toBe('production');
    expect(() => choose(special, [production])).toThrow(
      expect.objectContaining({ code: 'NO_CREDENTIAL', message: expect.stringContaining(header) }),
    );
  });

  it('takes one credential for one, however many rules lead to it', () => {
    expect(choose([ruleTo('production'), ruleTo('production', { team: 'care' })], [production], { team: 'care' })).toBe('production');
  });

  it('refuses more than one and names the header that tells them apart, and not them', () => {
    const message = expect.stringMatching(/^(?!.*staging).*x-cordon-environment\.$/);
    expect(() => choose(rules, [production, staging])).toThrow(expect.objectContaining({ code: 'AMBIGUOUS_CREDENTIAL', message }));
    const overlapping = [ruleTo('production'), ruleTo('second')];
    expect(() => choose(overlapping, [production, named('second')], { environment: 'production' })).toThrow(/routing rules overlap/);
  });

  it('never falls back to another environment, provider or user', () => {
    expect(() => choose([ruleTo('production')], [production], { environment: 'staging' })).toThrow(/No credential/);
    expect(() => choose([ruleTo('production', { provider: 'anthropic' })], [production])).toThrow(/No credential/);
    expect(() => choose([ruleTo('bobs')], [named('bobs', { userId: bob })])).toThrow(/No credential/);
    expect(() => choose([], [named('bobs', { userId: bob })])).toThrow(/No credential/);
  });

  it('prefers the caller’s own, which needs no rule, also when two of the tenant’s would fit', () => {
    const own = named('own', { userId: ann });
    expect(choose([...rules, ruleTo('production')], [production, staging, own])).toBe('own');
    expect(choose(rules, [production, staging, own], { environment: 'staging' })).toBe('staging');
    expect(() => choose(rules, [own, named('own-2', { userId: ann })])).toThrow(expect.objectContaining({ code: 'AMBIGUOUS_CREDENTIAL' }));
  });

  it('leaves out a rule whose credential is not there', () => {
    expect(choose([ruleTo('gone'), ruleTo('production')], [production])).toBe('production');
  });

  it('sends data of a class through a credential that is cleared for it and through no other', () => {
    const cleared = named('production', { dataClasses: ['phi', 'pii'] });
    expect(choose([ruleTo('production')], [cleared], { dataClass: 'phi' })).toBe('production');
    expect(() => choose([ruleTo('production')], [production], { dataClass: 'phi' })).toThrow(
      expect.objectContaining({ code: 'DATA_CLASS_NOT_CLEARED' }),
    );
    expect(() => choose([ruleTo('production')], [cleared], { dataClass: 'ph' })).toThrow(
      expect.objectContaining({ code: 'DATA_CLASS_NOT_CLEARED' }),
    );
  });
});

describe('what a caller says', () => {
  it('is read from its headers', () => {
    expect(
      askedOf({
        'x-cordon-environment': 'production',
        'x-cordon-use-case': 'support chat',
        'x-cordon-team': 'care',
        'x-cordon-labels': 'tier=gold, region=eu-1',
        'x-cordon-data-class': 'phi',
        'x-cordon-tool': 'search',
        'x-other': 'no',
      }),
    ).toEqual({
      environment: 'production',
      useCase: 'support chat',
      team: 'care',
      labels: { tier: 'gold', region: 'eu-1' },
      dataClass: 'phi',
      asserted: {
        environment: 'production',
        'use-case': 'support chat',
        team: 'care',
        labels: 'tier=gold, region=eu-1',
        'data-class': 'phi',
        tool: 'search',
      },
    });
  });

  it.each([
    ['a label twice', { 'x-cordon-labels': 'a=1,a=2' }],
    ['a label without a value', { 'x-cordon-labels': 'a=' }],
    ['control characters', { 'x-cordon-tool': 'a\u0000b' }],
    ['too long a text', { 'x-cordon-tool': 'x'.repeat(513) }],
    ['too many headers', Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`x-cordon-h${index}`, '1']))],
  ])('is refused with %s', (_what, headers) => {
    expect(() => askedOf(headers)).toThrow(expect.objectContaining({ code: 'CALL_INVALID' }));
  });
});
